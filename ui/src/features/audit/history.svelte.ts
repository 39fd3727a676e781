import type { ErrorView, VerifyView } from "../../bindings/ipc";
import { asError, host } from "../../host";

/** Whether the history of this desktop is whole. */
class History {
  error = $state.raw<ErrorView | null>(null);
  verified = $state.raw<VerifyView | null>(null);
  verifying = $state(false);

  async verify(): Promise<void> {
    this.verifying = true;
    try {
      [this.verified, this.error] = [await host.call("audit_verify"), null];
    } catch (thrown) {
      this.error = asError(thrown);
    }
    this.verifying = false;
  }

  /** Forgets what was on screen; the history itself stays where it is. */
  forget(): void {
    [this.verified, this.error] = [null, null];
  }
}

export const history = new History();

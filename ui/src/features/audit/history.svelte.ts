import type { AuditEntryView, AuditFilter, ErrorView, VerifyView } from "../../bindings/ipc";
import { asError, host } from "../../host";

const PAGE = 200;

/** The part of the history on screen: newest first, older pages as they are scrolled to. */
class History {
  entries = $state.raw<readonly AuditEntryView[]>([]);
  total = $state(0);
  loading = $state(true);
  error = $state.raw<ErrorView | null>(null);
  verified = $state.raw<VerifyView | null>(null);
  verifying = $state(false);
  private next: number | null = null;
  private asked = 0;
  /** It grew while a page was read. */
  private grew = false;
  private filter: AuditFilter = {};

  /** The first page under a filter. What is on screen stays until the answer is there. */
  async load(filter: AuditFilter): Promise<void> {
    const mine = ++this.asked;
    this.filter = filter;
    this.loading = true;
    try {
      const page = await host.call("audit_page", { filter, before: null, limit: PAGE });
      if (mine !== this.asked) return;
      [this.entries, this.total, this.next, this.error] = [page.entries, page.total, page.next, null];
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
    }
    if (mine === this.asked) this.read();
  }

  private read(): void {
    this.loading = false;
    if (this.grew) void this.refresh();
  }

  /** New entries on top, keeping the older pages already here. */
  async refresh(): Promise<void> {
    const mine = this.asked;
    this.grew = this.loading;
    if (this.grew) return;
    const page = await host.call("audit_page", { filter: this.filter, before: null, limit: PAGE }).catch(() => null);
    if (!page || mine !== this.asked) return;
    // An older page is being read meanwhile, and will be put behind what is here now.
    if (this.loading) {
      this.grew = true;
      return;
    }
    const oldest = page.entries.at(-1)?.sequence ?? 0;
    const older = this.entries.filter((entry) => entry.sequence < oldest);
    if (older.length === 0) this.next = page.next;
    // A page that does not touch what is here would leave a hole: then the list begins anew.
    const touches = this.entries.length === 0 || page.entries.some((entry) => entry.sequence <= (this.entries[0]?.sequence ?? 0));
    this.entries = touches ? [...page.entries, ...older] : page.entries;
    if (!touches) this.next = page.next;
    this.total = page.total;
  }

  async more(): Promise<void> {
    if (this.next === null || this.loading) return;
    const mine = this.asked;
    this.loading = true;
    try {
      const page = await host.call("audit_page", { filter: this.filter, before: this.next, limit: PAGE });
      if (mine === this.asked) [this.entries, this.next] = [[...this.entries, ...page.entries], page.next];
    } catch (thrown) {
      if (mine === this.asked) this.error = asError(thrown);
    }
    if (mine === this.asked) this.read();
  }

  /** Forgets what was on screen; the history itself stays where it is. */
  forget(): void {
    this.asked += 1;
    [this.entries, this.verified, this.error, this.next] = [[], null, null, null];
  }

  async verify(): Promise<void> {
    this.verifying = true;
    try {
      this.verified = await host.call("audit_verify");
    } catch (thrown) {
      this.error = asError(thrown);
    }
    this.verifying = false;
  }
}

export const history = new History();

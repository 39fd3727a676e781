import type { ErrorView, ProfileDraft, ProfileLook } from "../../bindings/ipc";
import { closeDialog, openDialog } from "../../desktop/dialogs.svelte";
import { notify } from "../../desktop/notices.svelte";
import { asError, host } from "../../host";
import { visible } from "../../shared/text";

/** What is edited: a profile, a new one, or one that begins as another. None: it is still to be chosen. */
export interface Subject {
  readonly name: string | null;
  readonly isNew: boolean;
}

/** A profile that is being changed as text: read, looked at as a change, and applied. */
class Editing {
  #subject = $state.raw<Subject | null>(null);
  #names = $state.raw<readonly string[] | null>(null);
  #draft = $state.raw<ProfileDraft | null>(null);
  #look = $state.raw<{ view: ProfileLook; text: string; at: number } | null>(null);
  #error = $state.raw<ErrorView | null>(null);
  #busy = $state<"" | "reading" | "looking" | "applying">("");
  #applied = $state(0);
  #turn = 0;
  /** As it is on screen. */
  text = $state("");

  get subject(): Subject | null {
    return this.#subject;
  }

  /** Those one can choose from; none: not known yet. */
  get names(): readonly string[] | null {
    return this.#names;
  }

  get draft(): ProfileDraft | null {
    return this.#draft;
  }

  get look(): ProfileLook | null {
    return this.#look?.view ?? null;
  }

  /** When the look came, on `performance.now()`'s clock. */
  get lookedAt(): number {
    return this.#look?.at ?? 0;
  }

  get error(): ErrorView | null {
    return this.#error;
  }

  get busy(): "" | "reading" | "looking" | "applying" {
    return this.#busy;
  }

  /** How many changes were applied: whoever shows profiles reads them again. */
  get applied(): number {
    return this.#applied;
  }

  readonly #original = $derived(this.#draft?.lines.join("\n") ?? "");
  /** The text is another than what was read. */
  readonly isDirty = $derived(this.#draft !== null && this.text.trimEnd() !== this.#original.trimEnd());
  /** The text is another than what was looked at. */
  readonly isStale = $derived(this.#look !== null && this.#look.text !== this.text);
  /** What was looked at can be applied. */
  readonly mayApply = $derived(this.#busy === "" && !this.isStale && this.#look?.view.verdict.kind === "taken" && this.#draft?.lacks === null);

  /** Opens the editor; with nothing it asks what to edit. With `drafted`, that stands in place of what was read. */
  begin(subject: Subject | null, drafted: string | null = null): void {
    this.#reset();
    openDialog("profile");
    if (subject === null) void this.#list();
    else void this.read(subject).then(() => {
      if (drafted !== null && this.#draft !== null && this.#subject === subject) this.text = drafted;
    });
  }

  async #list(): Promise<void> {
    await this.#run("reading", () => host.call("profile_names"), (names) => {
      this.#names = names;
    });
  }

  /** Reads the text anew: what was written is dropped. */
  async read(subject: Subject): Promise<void> {
    this.#subject = subject;
    await this.#run("reading", () => host.call("profile_text", { name: subject.name, new: subject.isNew }), (draft) => {
      this.#draft = draft;
      this.#look = null;
      this.text = `${draft.lines.join("\n")}\n`;
    });
  }

  /** Tries what is written on the hub, which stores nothing of it; `again` compares it with the profile as it is by now. */
  async tryOut(again = false): Promise<void> {
    if (this.#draft === null || this.#busy !== "") return;
    const text = this.text;
    await this.#run("looking", () => host.call("profile_look", { text, again }), (view) => {
      this.#look = { view, text, at: performance.now() };
    });
  }

  async apply(): Promise<void> {
    const look = this.look;
    if (look === null || !this.mayApply) return;
    await this.#run("applying", () => host.call("profile_apply", { digest: look.digest }), () => {
      this.#applied += 1;
      notify({ level: "info", text: `Profile ${visible(look.name)} is ${look.isNew ? "made" : "changed"}.`, session: null });
      closeDialog("profile");
      this.#reset();
    });
    // What was not applied has to be looked at again.
    if (this.#error !== null) this.#look = null;
  }

  /** Forgets what belongs to whoever was signed in. */
  forget(): void {
    this.#reset();
  }

  #reset(): void {
    this.#turn += 1;
    [this.#subject, this.#names, this.#draft, this.#look, this.#error, this.#busy] = [null, null, null, null, null, ""];
    this.text = "";
  }

  /** One thing at a time; an answer to a dialog that was closed meanwhile does not count. */
  async #run<T>(what: "reading" | "looking" | "applying", call: () => Promise<T>, done: (answer: T) => void): Promise<void> {
    const turn = ++this.#turn;
    [this.#busy, this.#error] = [what, null];
    try {
      const answer = await call();
      if (turn !== this.#turn) return;
      this.#busy = "";
      done(answer);
    } catch (thrown) {
      if (turn === this.#turn) [this.#busy, this.#error] = ["", asError(thrown)];
    }
  }
}

export const editing = new Editing();

import type { BesideView, BeforeView, ErrorCode, NarrowerView, RequestView } from "../../bindings/ipc";
import { count, number } from "../../shared/text";
import { ago, leftText, timeText } from "../../shared/time";
import type { Sent } from "./can";
import { STATE, type Badge } from "./closing";
import type { Why } from "./guard";
import type { Row } from "./rows";

/** `operate on ledger-us-1`. */
export function whatText({ profile, cluster }: RequestView): string {
  return `${profile} on ${cluster}`;
}

/** How far the yeses are: `1 of 2`; those to another offer do not count. */
export function yesesText({ approvals, needed }: RequestView): string {
  const n = approvals.filter((yes) => yes.counts).length;
  return needed === null ? number(n) : `${number(n)} of ${number(needed)}`;
}

/** `waiting 6 min`. */
export function waitingText(request: RequestView, now: number): string {
  const long = ago(request.askedAt, now);
  if (request.phase === "pending" && request.ended === null) return long === "now" ? "asked just now" : `waiting ${long}`;
  return long === "now" ? "asked just now" : `asked ${long} ago`;
}

/** Whether the requester may ask for what would give less, as far as the hub says it to whoever looks. */
export function askableText({ profile, isAskable }: NarrowerView): string {
  return isAskable ? `The hub lets them ask for ${profile}.` : `Whether they may ask for ${profile} is not known here: Who can tells it, to whoever may look.`;
}

/** What somebody has open beside, and until when: `debug until 15:42`. */
export function besideText(beside: readonly BesideView[], now: number): string {
  return beside.map(({ profile, endsAt }) => `${profile} until ${timeText(endsAt, "moment", now)}`).join(", ");
}

/** How a request stands, in a few words. `failed`: what this person last said to it did not get through. */
export function badge({ request, gone }: Row, now: number, failed: { kind: Sent; error: { code: ErrorCode } } | null = null): Badge {
  const { closing } = request;
  if (closing !== null && closing.state !== "told") return STATE[closing.state];
  if (gone) return { text: request.ended ?? "closed", tone: "" };
  if (request.ended !== null) return { text: request.ended, tone: "" };
  if (failed !== null) return { text: failed.error.code === "unreachable" ? "no answer" : NOT_DONE[failed.kind], tone: "danger" };
  if (request.phase === "active") {
    return { text: request.endsAt === null ? "open" : request.endsAt <= now ? "time is up" : `open, ends in ${leftText(request.endsAt, now)}`, tone: "open" };
  }
  if (request.phase === "approved") return { text: "being granted", tone: "info" };
  const some = request.approvals.some((yes) => yes.counts);
  switch (request.decide) {
    case "yes": return { text: some ? `yours, ${yesesText(request)} said yes` : "yours to decide", tone: "wait" };
    case "noOffer": return { text: "no offer yet", tone: "wait" };
    case "own": return { text: some ? `your own, ${yesesText(request)} said yes` : "your own", tone: "" };
    case "said": return { text: `you said yes, ${yesesText(request)}`, tone: "" };
    case "over": return { text: "decided", tone: "" };
    case "enough": return { text: "waits for nobody", tone: "" };
    case "unsound": return { text: "offer does not add up", tone: "danger" };
    case "notKnown": return { text: "not known whether yours", tone: "" };
    case "notYours": return { text: some ? `${yesesText(request)} said yes` : "not yours", tone: "" };
  }
}

const NOT_DONE: Record<Sent, string> = { approve: "not approved", deny: "not denied", revoke: "not ended", drop: "not dropped" };

/** Why this person can't say yes; none when they can. */
export function whyNot({ request, gone }: Row): string | null {
  if (gone || request.ended !== null) return null;
  const pending = request.phase === "pending";
  const deny = request.mayDeny ? " You may deny it." : "";
  switch (request.decide) {
    case "yes": return null;
    case "own": return "This is your own request. Nobody decides on their own; you take it back where you opened it.";
    case "notYours": return `Your groups may not approve this profile; who may is bound on the hub by the verb approve.${deny}`;
    case "notKnown": return `Whether you may approve this profile could not be read; it is read again by itself.${deny}`;
    case "unsound": return `Its offer does not add up, so there is nothing to say yes to.${deny}`;
    case "enough": return pending ? `It waits for nobody: ${(request.needed ?? 0) > 0 ? "the yeses it needs are there" : "it needs none"}.${deny}` : null;
    case "said": return pending ? `You said yes to this offer: ${yesesText(request)} have.${request.mayDeny ? " You may still deny it." : ""}` : null;
    case "noOffer": return `Its broker has not offered yet: there is nothing to say yes to.${deny}`;
    case "over": return pending ? "It is decided." : null;
  }
}

/** What somebody did under a profile before, as far as the hub keeps it: of other teams it is not asked. */
export function beforeText(before: BeforeView, { profile, team }: Pick<RequestView, "profile" | "team">, now: number): string {
  const { opened, neverOpened, lastAt, lastEnded, more } = before;
  const where = `under ${profile} in team ${team}`;
  if (opened + neverOpened === 0) return more ? `not among what was counted ${where}; the hub keeps more` : `nothing ${where}, as far as the hub keeps it`;
  const last = lastAt === null ? "" : `; the last asked for ${ago(lastAt, now) === "now" ? "just now" : `${ago(lastAt, now)} ago`}${lastEnded ? `: ${lastEnded}` : ""}`;
  const never = neverOpened > 0 ? `, ${number(neverOpened)} asked for and never opened` : "";
  return `${more ? "at least " : ""}${count(opened, "session")} ${where}${never}${last}`;
}

/** What is said where a key came too soon. */
export const TOO_SOON: Record<Why, string> = {
  opened: "Just opened",
  appeared: "Appeared just now",
  changed: "Changed just now",
  moved: "Moved just now",
  asked: "Just asked",
};

/** What there is to add to a refusal; what the desktop says of the others is all that is known. */
export function refusedText(code: ErrorCode): string | null {
  if (code === "profileChanged") return "It changed while you looked at it. What is shown is what it is now.";
  return code === "stepUpNeeded" ? "Nothing was sent. Say it again to confirm with your second factor." : null;
}

import type { Component } from "svelte";
import type { DialogName } from "../desktop/dialogs.svelte";
import { DeletedDialog, ExportDialog, FilterDialog, ReviewDialog, SealDialog, SourcesDialog } from "../features/audit";
import { HoldDialog } from "../features/holds";
import { SupportDialog } from "../features/settings";
import { ExceptDialog, ForgetDialog, ReportDialog, ScanDialog } from "../features/posture";
import { ProfileDialog } from "../features/profiles";
import { ReplayDialog } from "../features/recording";
import { StepUpDialog } from "../features/signin";
import EndDialog from "./frame/EndDialog.svelte";
import CheatSheet from "./palette/CheatSheet.svelte";
import Palette from "./palette/Palette.svelte";

/** What each dialog shows. */
export const DIALOGS: Record<DialogName, Component> = {
  palette: Palette,
  keys: CheatSheet,
  stepUp: StepUpDialog,
  hold: HoldDialog,
  support: SupportDialog,
  profile: ProfileDialog,
  scan: ScanDialog,
  except: ExceptDialog,
  report: ReportDialog,
  forget: ForgetDialog,
  replay: ReplayDialog,
  signOut: EndDialog,
  quit: EndDialog,
  auditFilter: FilterDialog,
  auditSources: SourcesDialog,
  auditDeleted: DeletedDialog,
  auditReview: ReviewDialog,
  auditSeal: SealDialog,
  auditExport: ExportDialog,
};

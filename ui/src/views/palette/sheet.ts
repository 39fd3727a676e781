import { titleOf } from "../../shared/actions";
import { KEYS } from "../keyboard";

/** The sheet of keys: every key, under its heading. */
export const SHEET = [...new Set(KEYS.map((key) => key.group))].map((title) => ({
  title,
  lines: KEYS.filter((key) => key.group === title).map(({ press, action }) => ({ press, does: action.does ?? titleOf(action) })),
}));

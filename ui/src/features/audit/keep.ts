export const GIB = 1_073_741_824;

/** How many days were written: none where the field is empty, undefined where it is no number of days. */
export function days(text: string): number | null | undefined {
  const said = text.trim();
  if (said === "") return null;
  const n = /^\d{1,4}$/.test(said) ? Number(said) : 0;
  return n >= 1 && n <= 3653 ? n : undefined;
}

/** How many bytes so many GiB are; undefined where it is no number of them. */
export function size(text: string): number | undefined {
  const said = text.trim().replace(",", ".");
  const n = /^\d{1,4}(\.\d+)?$/.test(said) ? Number(said) : 0;
  return n >= 1 && n <= 4096 ? Math.round(n * GIB) : undefined;
}

/** As the field shows it. */
export function gigabytes(bytes: number): number {
  return Math.round((bytes / GIB) * 10) / 10;
}

import type { TrendPoint } from "../../bindings/ipc";

/** A line through values as an SVG path in a box of `width` × `height`; a lone value is level. */
export function lineOf(values: readonly number[], most: number, width: number, height: number): string {
  const x = (i: number) => (values.length < 2 ? 0 : (i / (values.length - 1)) * width);
  const y = (value: number) => height - (most <= 0 ? 0 : (Math.min(most, Math.max(0, value)) / most) * height);
  const points = values.length === 1 ? [values[0] ?? 0, values[0] ?? 0] : values;
  return points.map((value, i) => `${i === 0 ? "M" : "L"}${(values.length === 1 ? i * width : x(i)).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

/** What was bad of each time: the two severities that are fixed first. */
export const worst = ({ critical, high }: TrendPoint): number => critical + high;

/** The first and the last, said: `24 critical and high, 9 fewer than on 14 Sep`. */
export function changeText(points: readonly TrendPoint[], day: (at: number) => string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return "";
  const by = worst(last) - worst(first);
  const than = by === 0 ? "as many as" : by > 0 ? `${by} more than` : `${-by} fewer than`;
  return points.length === 1 ? `${worst(last)} critical and high` : `${worst(last)} critical and high, ${than} on ${day(first.at)}`;
}

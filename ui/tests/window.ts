/** Loads a part of the window where there is none: what it looks for while it loads is there, and nothing is drawn. */
export async function at<T>(load: () => Promise<T>): Promise<T> {
  const global = globalThis as Record<string, unknown>;
  global["window"] ??= globalThis;
  global["location"] ??= { search: "" };
  return load();
}

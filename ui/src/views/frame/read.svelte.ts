/** What was read and need not be shown again until the window closes. */
class Read {
  notes = $state.raw<readonly string[]>([]);
  cleanup = $state(false);
}

export const read = new Read();

/** Whose clock the times of dense rows show: this machine's, or UTC. Everywhere else UTC stands beside. */
export const zone = $state({ utc: false });

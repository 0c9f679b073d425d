/** Something that a node may name. */
export type Offer = Readonly<{
  name: string;
  description: string;
  /** Whether a signed version is there to be used. */
  signed: boolean;
}>;

/** Everything that the nodes of a plan may name, with what it is for. */
export type Catalogue = Readonly<{ roles: readonly Offer[]; jobs: readonly Offer[]; commands: readonly Offer[] }>;

/** Names for checking a plan. */
export function knownNames({ roles, jobs, commands }: Catalogue) {
  const names = (offers: readonly Offer[]) => offers.map(({ name }) => name);
  return { roles: names(roles), jobs: names(jobs), commands: names(commands) };
}

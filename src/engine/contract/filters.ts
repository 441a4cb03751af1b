// What every list and prune takes.

/** Docker's filters parameter after parsing: name → values, all of one name or-ed, names and-ed. */
export type Filters = ReadonlyMap<string, readonly string[]>

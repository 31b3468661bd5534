/** A name folded for comparison: letter case, compatibility forms and runs of space do not make another name. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

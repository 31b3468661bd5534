/** The oldest Node that runs all that Gatehouse stands on. */
export const OLDEST_NODE = '22.18.0';

/** Whether a Node of this version is no older. */
export function isNewEnough(version) {
  const numbers = version.split('.').map(Number);
  const oldest = OLDEST_NODE.split('.').map(Number);
  const differs = oldest.findIndex((number, i) => number !== numbers[i]);
  return differs === -1 || numbers[differs] > oldest[differs];
}

/** What the gate calls itself, to clients and to servers alike. */
export const product = { name: 'gatehouse', version: '0.1.0' } as const;

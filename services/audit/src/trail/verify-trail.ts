import type { ServiceDatabase } from '@gatehouse/platform';

interface State {
  readonly size: number;
  readonly newest: number | null;
  readonly mayChange: boolean;
}

/** Throws where the trail is not as its last writer left it, or could be changed by this process: then it must not be written on. */
export async function verifyTrail({ pool }: ServiceDatabase): Promise<void> {
  const { rows } = await pool.query<State>(`
    select size, (select max(index) from record) as newest,
      has_table_privilege('record', 'update') or has_table_privilege('record', 'delete')
        or has_table_privilege('record', 'truncate') as "mayChange"
    from log_state`);
  const [state] = rows;
  if (state === undefined) throw new Error('the audit log has lost its state');
  if (state.mayChange)
    throw new Error('the audit service may change or delete records: it must not have that right');
  const count = (state.newest ?? -1) + 1;
  if (count !== state.size) {
    throw new Error(
      `the audit log holds ${count} records where its state says ${state.size}: it was cut or rolled back`,
    );
  }
}

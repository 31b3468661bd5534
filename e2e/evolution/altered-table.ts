import type { AlterTableCmd, AlterTableStmt, ColumnDef, Node } from 'libpg-query';

/** What a file has made so far: nobody stands on it yet, so it may do with that as it likes. */
export interface Made {
  readonly tables: Set<string>;
  /** As `<table>.<column>`. */
  readonly columns: Set<string>;
}

// They change how a table is kept, not what it holds.
const OF_STORAGE = new Set(['AT_SetRelOptions', 'AT_SetStatistics', 'AT_SetStorage']);

/** What in an `alter table` is a contract. */
export function contractsOfAlteration(
  { relation, cmds = [] }: AlterTableStmt,
  made: Made,
): readonly string[] {
  const table = relation?.relname ?? '';
  if (made.tables.has(table)) return [];
  return cmds.flatMap((node) =>
    'AlterTableCmd' in node
      ? contractsOfCommand(table, node.AlterTableCmd, made)
      : ['an unknown change'],
  );
}

function contractsOfCommand(
  table: string,
  { subtype, def }: AlterTableCmd,
  made: Made,
): readonly string[] {
  if (subtype === 'AT_AddColumn' && def !== undefined && 'ColumnDef' in def) {
    made.columns.add(`${table}.${def.ColumnDef.colname}`);
    return contractsOfColumn(def.ColumnDef);
  }
  const isNewDefault = subtype === 'AT_ColumnDefault' && def !== undefined;
  const kind = String(subtype);
  return isNewDefault || isUnchecked(kind, def) || OF_STORAGE.has(kind) ? [] : [kind];
}

/** A constraint that holds for new rows alone. */
function isUnchecked(kind: string, def: Node | undefined): boolean {
  if (kind !== 'AT_AddConstraint' || def === undefined || !('Constraint' in def)) return false;
  return def.Constraint.skip_validation === true;
}

/** Old code leaves a new column out when it inserts: it must be nullable, or have a default that needs no thinking. */
function contractsOfColumn({ constraints = [] }: ColumnDef): readonly string[] {
  let [required, filled] = [false, false];
  const others: string[] = [];
  for (const node of constraints) {
    if (!('Constraint' in node)) continue;
    const { contype = 'a constraint', raw_expr: value } = node.Constraint;
    if (contype === 'CONSTR_NOTNULL') required = true;
    else if (contype === 'CONSTR_DEFAULT' && isConstant(value)) filled = true;
    else if (contype !== 'CONSTR_NULL') others.push(contype);
  }
  return required && !filled ? ['CONSTR_NOTNULL', ...others] : others;
}

function isConstant(value: Node | undefined): boolean {
  if (value === undefined) return false;
  return 'TypeCast' in value ? isConstant(value.TypeCast.arg) : 'A_Const' in value;
}

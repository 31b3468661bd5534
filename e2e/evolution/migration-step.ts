// What a migration does to the code of the release before, read off its syntax tree. Whatever is not known to leave that
// code working is a contract.
import {
  loadModule,
  parseSync,
  type AlterTableCmd,
  type ColumnDef,
  type GrantRoleStmt,
  type Node,
} from 'libpg-query';
import { sqlOfBlock } from './code-block.ts';

/** What the file at hand has made so far: nobody stands on it yet, so it may do with that as it likes. */
interface Made {
  readonly tables: Set<string>;
  /** As `<table>.<column>`. */
  readonly columns: Set<string>;
}

/** What in a text of SQL makes it a contract step; nothing, where it only expands. Placeholders may be in it. */
export async function contractsIn(sql: string): Promise<readonly string[]> {
  const filled = sql.replaceAll('{{schema}}', 'shelf').replaceAll('{{role}}', 'gatehouse_shelf');
  await loadModule();
  return contractsOfText(filled, { tables: new Set(), columns: new Set() });
}

function contractsOfText(sql: string, made: Made): readonly string[] {
  const { stmts = [] } = parseSync(sql);
  return stmts.flatMap(({ stmt }) => (stmt === undefined ? [] : contractsOf(stmt, made)));
}

// Old code never asks for them, and what it asks for is answered as before.
const ALWAYS_EXPANDS = new Set([
  'CommentStmt',
  'CompositeTypeStmt',
  'CreateEnumStmt',
  'CreateFunctionStmt',
  'CreateSeqStmt',
  'CreateSchemaStmt',
  'ViewStmt',
]);

function contractsOf(statement: Node, made: Made): readonly string[] {
  const [kind = ''] = Object.keys(statement);
  if (ALWAYS_EXPANDS.has(kind)) return [];
  if ('CreateStmt' in statement) {
    made.tables.add(statement.CreateStmt.relation?.relname ?? '');
    return [];
  }
  if ('GrantStmt' in statement) return statement.GrantStmt.is_grant ? [] : ['revoke'];
  if ('DoStmt' in statement)
    return sqlOfBlock(statement.DoStmt)?.flatMap((sql) => contractsOfText(sql, made)) ?? [kind];
  if ('GrantRoleStmt' in statement) return isOfMigrator(statement.GrantRoleStmt) ? [] : [kind];
  if ('AlterTableStmt' in statement) {
    const table = statement.AlterTableStmt.relation?.relname ?? '';
    if (made.tables.has(table)) return [];
    return (statement.AlterTableStmt.cmds ?? []).flatMap((node) =>
      'AlterTableCmd' in node ? contractsOfAlter(table, node.AlterTableCmd, made) : [kind],
    );
  }
  return touchesOnlyNew(statement, made) ? [] : [kind];
}

/** What only the role that migrates is given, or gives back, no process notices. */
function isOfMigrator({ grantee_roles: grantees = [] }: GrantRoleStmt): boolean {
  return grantees.every(
    (grantee) => 'RoleSpec' in grantee && grantee.RoleSpec.roletype === 'ROLESPEC_CURRENT_USER',
  );
}

/** Rows, indices and triggers: of tables that this very file makes, or of columns that it adds. */
function touchesOnlyNew(statement: Node, made: Made): boolean {
  const isNew = (relation: { readonly relname?: string } | undefined): boolean =>
    made.tables.has(relation?.relname ?? '');
  if ('IndexStmt' in statement)
    return statement.IndexStmt.unique !== true || isNew(statement.IndexStmt.relation);
  if ('CreateTrigStmt' in statement) return isNew(statement.CreateTrigStmt.relation);
  if ('InsertStmt' in statement) return isNew(statement.InsertStmt.relation);
  if (!('UpdateStmt' in statement)) return false;
  const { relation, targetList = [] } = statement.UpdateStmt;
  return (
    isNew(relation) ||
    targetList.every(
      (target) =>
        'ResTarget' in target &&
        made.columns.has(`${relation?.relname}.${target.ResTarget.name ?? ''}`),
    )
  );
}

function contractsOfAlter(table: string, command: AlterTableCmd, made: Made): readonly string[] {
  const { subtype = 'an unknown change', def } = command;
  switch (subtype) {
    case 'AT_AddColumn':
      if (def === undefined || !('ColumnDef' in def)) return [subtype];
      made.columns.add(`${table}.${def.ColumnDef.colname ?? ''}`);
      return contractsOfColumn(def.ColumnDef);
    case 'AT_AddConstraint':
      return def !== undefined && 'Constraint' in def && def.Constraint.skip_validation === true
        ? []
        : [subtype];
    case 'AT_ColumnDefault':
      return def === undefined ? [subtype] : [];
    case 'AT_SetRelOptions':
    case 'AT_SetStatistics':
    case 'AT_SetStorage':
      return [];
    default:
      return [subtype];
  }
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

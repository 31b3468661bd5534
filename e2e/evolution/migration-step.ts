// What a migration does to the code of the release before, read off its syntax tree. Whatever is not known to leave that
// code working is a contract.
import { loadModule, parseSync, type GrantRoleStmt, type Node } from 'libpg-query';
import { contractsOfAlteration, type Made } from './altered-table.ts';
import { sqlOfBlock } from './code-block.ts';

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
]);

function contractsOf(statement: Node, made: Made): readonly string[] {
  const [kind = ''] = Object.keys(statement);
  if ('AlterTableStmt' in statement) return contractsOfAlteration(statement.AlterTableStmt, made);
  if ('DoStmt' in statement) {
    const within = sqlOfBlock(statement.DoStmt);
    return within?.flatMap((sql) => contractsOfText(sql, made)) ?? [kind];
  }
  return expands(statement, kind, made) ? [] : [kind];
}

function expands(statement: Node, kind: string, made: Made): boolean {
  if (ALWAYS_EXPANDS.has(kind)) return true;
  if (!('CreateStmt' in statement)) return grants(statement) || touchesOnlyNew(statement, made);
  const { relation, if_not_exists: mayExist = false } = statement.CreateStmt;
  if (!mayExist) made.tables.add(relation?.relname ?? '');
  return true;
}

function grants(statement: Node): boolean {
  if ('GrantRoleStmt' in statement) return isOfMigrator(statement.GrantRoleStmt);
  return 'GrantStmt' in statement && statement.GrantStmt.is_grant === true;
}

/** What only the role that migrates is given, or gives back, no process notices. */
function isOfMigrator({ grantee_roles: grantees = [] }: GrantRoleStmt): boolean {
  return grantees.every(
    (grantee) => 'RoleSpec' in grantee && grantee.RoleSpec.roletype === 'ROLESPEC_CURRENT_USER',
  );
}

/** Rows, indices, triggers and views: of tables that this very file makes, or of columns that it adds. */
function touchesOnlyNew(statement: Node, made: Made): boolean {
  const isNew = (relation: { readonly relname?: string } | undefined): boolean =>
    made.tables.has(relation?.relname ?? '');
  if ('IndexStmt' in statement)
    return statement.IndexStmt.unique !== true || isNew(statement.IndexStmt.relation);
  if ('CreateTrigStmt' in statement) return isNew(statement.CreateTrigStmt.relation);
  if ('InsertStmt' in statement) return isNew(statement.InsertStmt.relation);
  if ('ViewStmt' in statement) return statement.ViewStmt.replace !== true;
  if (!('UpdateStmt' in statement)) return false;
  const { relation, targetList = [] } = statement.UpdateStmt;
  const isOfNewColumn = (target: Node): boolean =>
    'ResTarget' in target && made.columns.has(`${relation?.relname}.${target.ResTarget.name}`);
  return isNew(relation) || targetList.every(isOfNewColumn);
}

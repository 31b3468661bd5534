import { askGraphQL } from '@gatehouse/standalone';

const READ_MODELS = `{
  gate { bundleNumber bundlePublishedAt }
  users { nodes { id userName displayName email active deactivatedBecause roles provisionedAt groups { id displayName } } }
  groups { nodes { id displayName memberCount roles createdAt members { id } } }
  agents { nodes { id name description active disabledBecause roles registeredAt } }
  keys { nodes { id label principal { kind id name } expiresAt overlapUntil replacedBy rotatedFrom revokedAt
    revokedBecause issuedAt issuedBy { kind id name } } }
  roles { nodes { name description management definedAt definedBy { name } connectors { slug tools { tool mode deny } } } }
  roleAssignments { nodes { role roleExists assignee { kind id name } assignedAt assignedBy { name } } }
  servers { nodes { slug name status statusReason catalogueDigest catalogueFetchedAt catalogueFetchError submittedAt
    approvedAt approvedBy { name } tools { name approval class classifiedAs approvedDefinition approvedDigests { behavior } } } }
}`;

const TRAIL = `{ auditRecords(first: 100) { nodes { id index phase at method principal { name keyId } server tool decision
  outcome reason { code text } source sequence hasArguments } } }`;

/** All that the admin API shows of the state of things, however it was folded. */
export function readModels(apiUrl: string, token: string): Promise<unknown> {
  return askGraphQL(apiUrl, token, READ_MODELS);
}

/** The trail as the admin API shows it, newest first. */
export async function readTrail(apiUrl: string, token: string): Promise<readonly unknown[]> {
  const { auditRecords } = await askGraphQL<{ auditRecords: { nodes: readonly unknown[] } }>(
    apiUrl,
    token,
    TRAIL,
  );
  return auditRecords.nodes;
}

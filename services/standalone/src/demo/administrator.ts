import { askGraphQL } from '../graphql-client.ts';

/** The transports that the demo submits, as the admin API takes them. */
export type TransportInput =
  | { readonly streamableHttp: { readonly url: string } }
  | { readonly stdio: { readonly command: string; readonly args: readonly string[] } };

/** What a role says of the tools that a name or a glob stands for. */
export interface ToolRule {
  readonly tool: string;
  readonly mode: 'READ' | 'WRITE' | 'OFF';
}

/** What a tool looks like to a reviewer. */
export interface ReviewedTool {
  readonly name: string;
  readonly class: 'READ' | 'WRITE';
  readonly proposedBecause: string;
}

/** An administrator at the GraphQL API, through which everything in the demo is set up. */
export class Administrator {
  readonly #ask: <Data>(query: string, variables: Record<string, unknown>) => Promise<Data>;

  constructor(url: string, token: string) {
    this.#ask = (query, variables) => askGraphQL(url, token, query, variables);
  }

  /** Submits a server, fetches its tools and returns them with the digest that an approval must name. */
  async submit(
    slug: string,
    name: string,
    transport: TransportInput,
  ): Promise<{ tools: readonly ReviewedTool[]; digest: string }> {
    await this.#ask(
      `mutation ($input: SubmitServerInput!) { submitServer(input: $input) { server { slug } } }`,
      {
        input: { slug, name, transport },
      },
    );
    const { fetchCatalogue } = await this.#ask<{
      fetchCatalogue: { server: { catalogueDigest: string; tools: readonly ReviewedTool[] } };
    }>(
      `mutation ($input: FetchCatalogueInput!) { fetchCatalogue(input: $input) {
         server { catalogueDigest tools { name class proposedBecause } } } }`,
      { input: { slug } },
    );
    return { tools: fetchCatalogue.server.tools, digest: fetchCatalogue.server.catalogueDigest };
  }

  /** Decides the class of a tool and returns the digest that an approval must name from now on. */
  async classify(slug: string, tool: string, toolClass: 'READ' | 'WRITE'): Promise<string> {
    const { classifyTool } = await this.#ask<{
      classifyTool: { server: { catalogueDigest: string } };
    }>(
      `mutation ($input: ClassifyToolInput!) { classifyTool(input: $input) {
         server { catalogueDigest } } }`,
      { input: { slug, tool, class: toolClass } },
    );
    return classifyTool.server.catalogueDigest;
  }

  async approve(slug: string, catalogueDigest: string): Promise<void> {
    await this.#ask(
      `mutation ($input: ApproveServerInput!) { approveServer(input: $input) { server { status } } }`,
      {
        input: { slug, catalogueDigest },
      },
    );
  }

  async suspend(slug: string, reason: string): Promise<void> {
    await this.#ask(
      `mutation ($input: SuspendServerInput!) { suspendServer(input: $input) { server { status } } }`,
      {
        input: { slug, reason },
      },
    );
  }

  async defineRole(
    name: string,
    description: string,
    connectors: Record<string, readonly ToolRule[]>,
  ): Promise<void> {
    await this.#ask(
      `mutation ($input: DefineRoleInput!) { defineRole(input: $input) { bundleNumber } }`,
      {
        input: {
          name,
          description,
          connectors: Object.entries(connectors).map(([slug, tools]) => ({ slug, tools })),
        },
      },
    );
  }

  /** Registers an agent, gives it a role, and issues it a key. */
  async createAgent(name: string, role: string): Promise<{ keyId: string; token: string }> {
    const { registerAgent } = await this.#ask<{ registerAgent: { agent: { id: string } } }>(
      `mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id } } }`,
      { input: { name } },
    );
    const { id } = registerAgent.agent;
    await this.#ask(
      `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
      {
        input: { assignee: { kind: 'AGENT', id }, role },
      },
    );
    const { issueKey } = await this.#ask<{ issueKey: { token: string; key: { id: string } } }>(
      `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token key { id } } }`,
      { input: { principal: { kind: 'AGENT', id }, label: 'demo' } },
    );
    return { keyId: issueKey.key.id, token: issueKey.token };
  }

  async revokeKey(keyId: string, reason: string): Promise<void> {
    await this.#ask(
      `mutation ($input: RevokeKeyInput!) { revokeKey(input: $input) { key { status } } }`,
      {
        input: { keyId, reason },
      },
    );
  }
}

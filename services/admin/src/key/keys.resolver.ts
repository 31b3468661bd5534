import type { identityCommands } from '@gatehouse/event-catalog';
import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '../caller/caller.ts';
import { IDENTITY, existing, type CommandSender, type Sent } from '../owner/command-sender.ts';
import type { Page } from '../paging/page.ts';
import { READ_MODEL, type ReadModel } from '../read-model.ts';
import type {
  IssuedKeyPayload,
  IssueKeyInput,
  Key,
  KeyPayload,
  QueryKeysArgs,
  RevokeKeyInput,
  RotateKeyInput,
} from '../schema/schema.generated.ts';
import { findKey, findKeys } from './find-keys.query.ts';

/** Bearer keys. */
@Resolver()
export class KeysResolver {
  constructor(
    @Inject(READ_MODEL) private readonly model: ReadModel,
    @Inject(IDENTITY) private readonly identity: CommandSender<typeof identityCommands>,
  ) {}

  @Query('keys')
  keys(@Args() args: QueryKeysArgs): Promise<Page<Key>> {
    return findKeys(this.model, args);
  }

  @Query('key')
  key(@Args('id') id: string): Promise<Key | null> {
    return findKey(this.model, id);
  }

  @Mutation('issueKey')
  async issueKey(
    @Args('input') { principal, label, expiresAt = null }: IssueKeyInput,
    @Context() context: RequestContext,
  ): Promise<IssuedKeyPayload> {
    const command = { principal: { ...principal }, label, expiresAt };
    return this.#issued(await this.identity.sendForSecret('issue-key', command, context));
  }

  @Mutation('rotateKey')
  async rotateKey(
    @Args('input') input: RotateKeyInput,
    @Context() context: RequestContext,
  ): Promise<IssuedKeyPayload> {
    return this.#issued(await this.identity.sendForSecret('rotate-key', input, context));
  }

  @Mutation('revokeKey')
  async revokeKey(
    @Args('input') input: RevokeKeyInput,
    @Context() context: RequestContext,
  ): Promise<KeyPayload> {
    await this.identity.send('revoke-key', input, context);
    return { key: existing(await findKey(this.model, input.keyId), 'key-unknown') };
  }

  // The token exists nowhere else: it is answered even where the key cannot be read here in time.
  async #issued({
    result: { keyId, token },
    readBack,
  }: Sent<{ readonly keyId: string; readonly token: string }>): Promise<IssuedKeyPayload> {
    return { keyId, token, key: await readBack(() => findKey(this.model, keyId)) };
  }
}

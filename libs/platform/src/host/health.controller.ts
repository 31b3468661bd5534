import { Refusal } from '@gatehouse/problem-catalog';
import { Controller, Get, Headers, HttpCode, Res, type Type } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { carriesServiceToken as carriesToken } from '../command/service-token.ts';
import { exposition } from '../metrics/registry.ts';
import type { Platform } from '../platform.ts';

/** `/health/live` (the process answers), `/health/ready` (it has all it waits for; else 503 and what is missing) and `/metrics`. */
export function healthController(
  platform: Pick<Platform, 'readiness' | 'bus'>,
  metricsToken: string | undefined,
): Type {
  @Controller()
  class HealthController {
    @Get('health/live')
    @HttpCode(200)
    live(): { status: string } {
      return { status: 'live' };
    }

    @Get('health/ready')
    async ready(@Res() reply: FastifyReply): Promise<void> {
      const waitingFor = [...platform.readiness.pending];
      const bus = await platform.bus.health();
      if (!bus.healthy) waitingFor.push(`event bus: ${bus.detail}`);
      const ready = waitingFor.length === 0;
      await reply
        .code(ready ? 200 : 503)
        .send(ready ? { status: 'ready' } : { status: 'waiting', waitingFor });
    }

    @Get('metrics')
    async metrics(
      @Headers('authorization') authorization: string | undefined,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<string> {
      if (metricsToken !== undefined && !carriesToken(metricsToken, authorization)) {
        reply.header('www-authenticate', 'Bearer');
        throw new Refusal('authentication-required', {
          detail: 'Metrics are shown to their token.',
        });
      }
      const { type, text } = await exposition();
      reply.header('content-type', type);
      return text;
    }
  }
  return HealthController;
}

import { Controller, Get, Header, HttpCode, Res, type Type } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Platform } from '../platform.ts';

/** Prometheus metrics of this process; services register theirs here. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

/** `/health/live` (the process answers), `/health/ready` (it has all it waits for; else 503 and what is missing) and `/metrics`. */
export function healthController(platform: Pick<Platform, 'readiness' | 'bus'>): Type {
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
    @Header('content-type', metrics.contentType)
    async metrics(): Promise<string> {
      return metrics.metrics();
    }
  }
  return HealthController;
}

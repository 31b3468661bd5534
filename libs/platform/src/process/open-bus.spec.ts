import { describe, expect, it } from 'vitest';
import { kafkaConnection } from './open-bus.ts';

describe('the address of a Kafka cluster', () => {
  it('names one broker or several', () => {
    expect(kafkaConnection({ url: 'kafka://kafka:9092' })).toEqual({ brokers: ['kafka:9092'] });
    expect(kafkaConnection({ url: 'kafka://a:1,b:2,c:3/' })).toEqual({
      brokers: ['a:1', 'b:2', 'c:3'],
    });
  });

  it('asks for TLS and signs in', () => {
    expect(kafkaConnection({ url: 'kafkas://gate%40house@a:1', password: 's' })).toEqual({
      brokers: ['a:1'],
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: 'gate@house', password: 's' },
    });
  });

  it.each(['kafka://', 'kafka://a:1?x=1', 'kafka:a', 'kafkax://a:1'])(
    'is refused when it is %s',
    (url) => {
      expect(() => kafkaConnection({ url })).toThrow('not a Kafka address');
    },
  );
});

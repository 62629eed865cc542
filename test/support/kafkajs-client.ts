// kafkajs as another program beside weir: it waits for what a broker that has just started does not have yet.
import { type Admin, type KafkaConfig, Kafka as KafkaJs, logLevel } from 'kafkajs'

export function kafkajsClient(bootstrap: string, more: Partial<KafkaConfig> = {}): KafkaJs {
  return new KafkaJs({
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 300, retries: 15 },
    ...more,
  })
}

export async function withAdmin<T>(kafka: KafkaJs, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

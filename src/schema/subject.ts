// Names of subjects in the registry: Confluent's TopicNameStrategy.

/** The subject that holds the schemas of a topic's values. */
export function valueSubject(topic: string): string {
  return `${topic}-value`
}

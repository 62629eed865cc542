// Names of subjects in the registry: Confluent's TopicNameStrategy.

/** The subject that holds the schemas of a topic's values. */
export function valueSubject(topic: string): string {
  return `${topic}-value`
}

/** The topic behind a value subject, or null when the subject is not one. */
export function topicOfSubject(subject: string): string | null {
  return subject.endsWith('-value') && subject.length > 6 ? subject.slice(0, -6) : null
}

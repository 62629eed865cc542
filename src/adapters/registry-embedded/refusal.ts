// What a registry refuses, in the numbers and words of Confluent's contract.

/** A refusal with Confluent's error code, as in 40401. Its first three digits are the HTTP status. */
export class RegistryRefusal extends Error {
  override name = 'RegistryRefusal'
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

const refusal = (code: number, message: string) => new RegistryRefusal(code, message)
const permanently = 'Set permanent=true to delete permanently'
const notFirst = 'was not deleted first before being permanently deleted'

export const refusals = {
  unknownSubject: (subject: string) => refusal(40401, `Subject '${subject}' not found.`),
  unknownVersion: (version: number) => refusal(40402, `Version ${version} not found.`),
  unknownSchema: (id?: number) => refusal(40403, id === undefined ? 'Schema not found' : `Schema ${id} not found`),
  subjectSoftDeleted: (subject: string) => refusal(40404, `Subject '${subject}' was soft deleted. ${permanently}`),
  subjectNotSoftDeleted: (subject: string) => refusal(40405, `Subject '${subject}' ${notFirst}`),
  versionSoftDeleted: (subject: string, version: number) =>
    refusal(40406, `Subject '${subject}' Version ${version} was soft deleted. ${permanently}`),
  versionNotSoftDeleted: (subject: string, version: number) =>
    refusal(40407, `Subject '${subject}' Version ${version} ${notFirst}`),
  noLevel: (subject: string) =>
    refusal(40408, `Subject '${subject}' does not have subject-level compatibility configured`),
  noMode: (subject: string) => refusal(40409, `Subject '${subject}' does not have subject-level mode configured`),
  invalidSchema: (message: string) => refusal(42201, message),
  invalidVersion: (version: string) =>
    refusal(
      42202,
      `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
    ),
  invalidLevel: () =>
    refusal(
      42203,
      'Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive',
    ),
  invalidMode: (
    message = 'Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT and FORWARD.',
  ) => refusal(42204, message),
  notPermitted: (message: string) => refusal(42205, message),
  referenced: (subject: string, version: number) =>
    refusal(
      42206,
      `One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=${subject},version=${version}}.`,
    ),
  otherId: (has: number, wanted: number) =>
    refusal(42207, `Schema already registered with id ${has} instead of input id ${wanted}`),
  invalidSubject: (subject: string) => refusal(42208, `The specified subject '${subject}' is not a valid.`),
  tooLarge: () => refusal(42209, 'Register operation failed because schema is too large'),
  noRules: () => refusal(42210, 'This registry runs no rules: leave out `ruleSet`.'),
  noIds: () => refusal(50001, 'There are no ids left: the highest one is used'),
  unsupported: (field: string) => refusal(422, `This registry has no \`${field}\`: leave it out.`),
} as const

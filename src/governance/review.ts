// What a governance review says of one candidate schema for one subject: the model that every form of the report is written from.
// The sixteen items are those of docs/governance.md. All of it is plain data: it is what `--json` prints and what a plan keeps.
import type { CompatibilityLevel as Level } from '../schema/compatibility-level.ts'
import type { Direction } from './levels.ts'
import type { Rule } from './reason.ts'

/** Version of the JSON form. Raised when a field is removed or changes its meaning; new fields do not raise it. */
export const reviewVersion = 1

/** `breaking`: the configured level or a blocking rule of the policy is broken, and no waiver covers it. `warning`: it may be registered, but someone should look. */
export type Verdict = 'ok' | 'warning' | 'breaking'

/** A place in a file of the workspace, for annotations. Lines and columns count from 1. */
export interface FilePlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Anything a reviewer has to know: a broken level, a silent break, a missing doc, personal data. */
export interface Finding {
  /** Stable name that waivers and programs use, such as `compatibility.READER_FIELD_MISSING_DEFAULT_VALUE`, `silent.decimal-scale`, `docs.missing`, `pii.untagged`. */
  readonly rule: string
  /** `note` never changes the verdict. */
  readonly severity: 'error' | 'warning' | 'note'
  readonly message: string
  /** JSON pointer in the candidate; null for the schema as a whole or what is no longer in it. */
  readonly pointer: string | null
  /** Field path in words, such as `RawReview.author.name`; null for the schema as a whole. */
  readonly field: string | null
  readonly place: FilePlace | null
  readonly hint: string | null
  /** The waiver of the policy that covers it; a waived finding does not change the verdict. */
  readonly waivedBy: number | null
}

/** Item 3: one reason why reading fails, and item 4: how to mend it. */
export interface ReviewedReason {
  readonly rule: Rule
  /** `backward`: the candidate cannot read old data; `forward`: an old version cannot read new data. */
  readonly direction: Direction
  readonly message: string
  /** Field path in words. */
  readonly field: string
  /** JSON pointer in the candidate; null where the candidate has nothing there. */
  readonly pointer: string | null
  /** What the newest failing version and the candidate have there, as JSON; null for nothing. */
  readonly before: string | null
  readonly after: string | null
  /** Versions of the history that fail for this reason. */
  readonly versions: readonly number[]
  /** True when the effective level asks for what fails here. */
  readonly breaks: boolean
  readonly place: FilePlace | null
  readonly fix: Fix | null
  /** The waiver of the policy that covers it. */
  readonly waivedBy: number | null
}

/** Item 4. An edit of the candidate that was made and checked, or steps over several releases. */
export interface Fix {
  readonly text: string
  /** The edit as a unified patch of the file; null when no edit of the candidate helps. */
  readonly patch: string | null
  /** What is still broken at the effective level after the edit; 0 when it is enough. */
  readonly remaining: number
  /** Steps in their order, for a change that takes several releases. */
  readonly steps: readonly string[]
}

/** Item 2: one of the seven levels. */
export interface LevelVerdict {
  readonly level: Level
  readonly compatible: boolean
  /** Every version that fails, with how many reasons; not only the first. */
  readonly failing: readonly { readonly version: number; readonly direction: Direction; readonly reasons: number }[]
}

/** Item 5. */
export interface Rollout {
  readonly order: 'consumers-first' | 'producers-first' | 'any' | 'new-subject'
  readonly steps: readonly string[]
}

/** Items 6, 7 and 9: one change, in the words of the schema. */
export interface Change {
  readonly kind:
    | 'field-added'
    | 'field-removed'
    | 'field-renamed'
    | 'type-changed'
    | 'nullability-changed'
    | 'default-changed'
    | 'order-changed'
    | 'doc-changed'
    | 'alias-added'
    | 'alias-removed'
    | 'symbol-added'
    | 'symbol-removed'
    | 'name-changed'
    | 'namespace-changed'
    | 'property-changed'
  readonly field: string
  readonly pointer: string | null
  /** Fragments of JSON; null where there was or is none. */
  readonly before: string | null
  readonly after: string | null
  /** In words. */
  readonly text: string
  /** For a rename that nothing proves: why it is thought to be one. */
  readonly guessedFrom: string | null
}

/** Item 7: which default fills which field when data of an old version is read. */
export interface FilledDefault {
  readonly field: string
  readonly version: number
  readonly value: string
}

/** Item 12. */
export interface Consumer {
  readonly pipeline: string
  readonly file: string
  readonly group: string
  readonly sink: string
  /** Paths of the record that its expressions read; null: the sink takes the whole record. */
  readonly fields: readonly string[] | null
  /** Fields of those that the change touches. */
  readonly touched: readonly string[]
  readonly affected: boolean
}

/** Item 13: one record under both schemas. Values of fields that are personal data are masked. */
export interface Example {
  /** `old-by-new`: a record of the base read with the candidate; `new-by-old`: the other way. */
  readonly direction: 'old-by-new' | 'new-by-old'
  /** Where the record is from: `topic partition/offset`, or `generated`. */
  readonly from: string
  readonly error: string | null
  readonly fields: readonly {
    readonly field: string
    readonly before: string | null
    readonly after: string | null
    readonly mark: 'same' | 'changed' | 'defaulted' | 'lost'
  }[]
}

/** A record by its place in its topic, and why it cannot be read. */
export interface FailedRecord {
  readonly partition: number
  readonly offset: string
  readonly message: string
}

/** Item 14: what retained records do under the candidate, read one by one by the rules of Avro. */
export interface DataCheck {
  readonly topic: string
  /** Records that were read; fewer than `retained` when only the oldest were looked at. */
  readonly records: number
  /** Offsets that the topic holds; on Kafka marks of transactions take some. */
  readonly retained: number
  /** Records without a value: they are in `records`, and every schema reads them. */
  readonly tombstones: number
  /** Records that their own schema reads and the candidate does not. */
  readonly failed: number
  /** The first of them, at most 100, with the reason each. */
  readonly failures: readonly FailedRecord[]
  /** Records that their own schema does not read either: damaged, without wire header, or with an id that the registry does not know. */
  readonly damaged: { readonly records: number; readonly first: readonly FailedRecord[] }
  /** Per field: records whose value reads differently. */
  readonly changed: readonly {
    readonly field: string
    readonly records: number
    readonly example: { readonly before: string; readonly after: string }
  }[]
  /** Per field that the candidate does not read any more, by its old path: records that have a value there. */
  readonly lost: readonly { readonly field: string; readonly records: number }[]
  /** Records per schema id of the wire header. */
  readonly ids: readonly { readonly id: number; readonly version: number | null; readonly records: number }[]
  /** Writers' schemas that avsc refuses to read as the candidate at all: its readers, weir among them, fail on each of these records. */
  readonly refused: readonly {
    readonly id: number
    readonly version: number | null
    readonly records: number
    readonly message: string
  }[]
  /** The other way: records made up from the candidate, read by each version that is in the log, and by the latest. */
  readonly readers: readonly {
    readonly version: number
    readonly records: number
    readonly failed: number
    /** Why the first one fails. */
    readonly message: string | null
  }[]
  /** Dead letters of the topic that hold a record; null when they were not looked at. */
  readonly deadLetters: {
    readonly topic: string
    readonly letters: number
    /** Letters whose original is a record of the topic; others never became one. */
    readonly records: number
    readonly failed: number
    readonly failures: readonly FailedRecord[]
  } | null
}

/** Item 15. */
export interface RegisterEffect {
  readonly effect: 'new-subject' | 'new-version' | 'no-op' | 'revert'
  /** The version it is already, for `no-op` and `revert`. */
  readonly version: number | null
  readonly latest: number | null
  readonly text: string
  /** What `normalize` would change in the candidate, as text; null: nothing. */
  readonly normalized: string | null
}

/** Items 10 and 11. */
export interface Quality {
  readonly documentedBefore: number | null
  /** Share of fields and named types with a doc, 0 to 1. */
  readonly documented: number
  readonly owner: string | null
  readonly tags: readonly {
    readonly field: string
    readonly before: readonly string[]
    readonly after: readonly string[]
  }[]
}

/** Item 16. */
export interface UsedWaiver {
  readonly index: number
  readonly rule: string
  readonly path: string | null
  readonly owner: string
  readonly reason: string
  /** Last day on which it counts, as YYYY-MM-DD. */
  readonly until: string
  readonly findings: number
}

/** A schema that cannot be reviewed: it is not valid, or cannot be read. */
export interface UnusableSchema {
  readonly subject: string
  readonly file: string | null
  readonly findings: readonly Finding[]
}

/** What a command prints: the reviews of all schemas that it looked at. */
export interface Report {
  readonly reviewVersion: typeof reviewVersion
  readonly verdict: Verdict
  /** The largest trouble of all: 1 before 3 before 0. */
  readonly exitCode: 0 | 1 | 3
  readonly reviews: readonly Review[]
  readonly unusable: readonly UnusableSchema[]
}

/** Item 1 is the head; the rest in the order in which a reviewer reads. */
export interface Review {
  readonly reviewVersion: typeof reviewVersion
  readonly subject: string
  readonly file: string | null
  readonly base: { readonly version: number | null; readonly id: number | null; readonly from: string } | null
  readonly candidate: { readonly crc64: string; readonly sha256: string; readonly schema: string }
  readonly level: Level
  /** Where the level comes from: a flag, the policy, the subject or the registry as a whole, or nowhere. */
  readonly levelFrom: 'flag' | 'policy' | 'subject' | 'global' | 'default'
  readonly verdict: Verdict
  /** 0 ok, 1 breaking, 3 warnings with `--strict`. */
  readonly exitCode: 0 | 1 | 3
  readonly levels: readonly LevelVerdict[]
  readonly reasons: readonly ReviewedReason[]
  readonly findings: readonly Finding[]
  readonly rollout: Rollout
  readonly changes: readonly Change[]
  readonly filledDefaults: readonly FilledDefault[]
  readonly quality: Quality
  readonly consumers: readonly Consumer[] | null
  readonly examples: readonly Example[]
  readonly data: DataCheck | null
  readonly effect: RegisterEffect | null
  readonly waivers: readonly UsedWaiver[]
}

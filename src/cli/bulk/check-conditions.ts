import { type Fields, parseWhere } from '../../runtime/where/parse-where.ts';
import { requestFields } from '../../runtime/where/request-fields.ts';
import { runFields } from '../../runtime/where/run-fields.ts';
import { WhereError } from '../../runtime/where/tokens.ts';
import { UsageError } from '../terminal.ts';

/** Throws a UsageError if conditions on runs are invalid, before anything else is looked at. */
export function checkRunConditions(where: string): void {
  check(where, runFields);
}

/** As `checkRunConditions`, of recorded requests. */
export function checkRequestConditions(where: string): void {
  check(where, requestFields);
}

function check<Item>(where: string, fields: Fields<Item>): void {
  try {
    parseWhere(where, fields);
  } catch (error) {
    if (error instanceof WhereError) throw new UsageError(error.message);
    throw error;
  }
}

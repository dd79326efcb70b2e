/** Why a submission is unavailable while as many runs are queued as may be. Metrics and alerts recognize it. */
export const queueIsFull = 'too many queued runs';

#ifndef BURN_THREAD_STATES_H
#define BURN_THREAD_STATES_H

/// From here on this process's `open` answers "/proc/N/stat" itself, for its own threads alone: number, a name, state, and
/// nothing more. Call it while the process has one thread.
void burn_answer_own_thread_states(void);

#endif

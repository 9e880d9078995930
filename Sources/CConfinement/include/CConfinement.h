#ifndef BURN_CCONFINEMENT_H
#define BURN_CCONFINEMENT_H

/// Gives up what a worker does not need: new privileges, core dumps, and a life beyond its parent.
/// Returns 0, or the errno of the first call that failed.
int burn_confine(void);

#endif

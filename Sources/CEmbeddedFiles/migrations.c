#include "embedded_files.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed

static const struct burn_embedded_file files[] = {
#define FILE "../../migrations/0001_initial.sql"
#include "one_file.h"
#define FILE "../../migrations/0002_access.sql"
#include "one_file.h"
#define FILE "../../migrations/0003_storage.sql"
#include "one_file.h"
#define FILE "../../migrations/0004_imports.sql"
#include "one_file.h"
#define FILE "../../migrations/0005_evidence.sql"
#include "one_file.h"
#define FILE "../../migrations/0006_trusted.sql"
#include "one_file.h"
#define FILE "../../migrations/0007_checks.sql"
#include "one_file.h"
#define FILE "../../migrations/0008_mechanisms.sql"
#include "one_file.h"
#define FILE "../../migrations/0009_suspects.sql"
#include "one_file.h"
#define FILE "../../migrations/0010_webhooks.sql"
#include "one_file.h"
#define FILE "../../migrations/0011_placement.sql"
#include "one_file.h"
#define FILE "../../migrations/0012_job_slots.sql"
#include "one_file.h"
#define FILE "../../migrations/0013_preliminary.sql"
#include "one_file.h"
#define FILE "../../migrations/0014_estimates.sql"
#include "one_file.h"
};

struct burn_embedded_files burn_embedded_migrations(void) {
    return (struct burn_embedded_files){files, sizeof files / sizeof *files};
}

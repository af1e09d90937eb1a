-- When data was last deleted for its age, by class (store.DataClass).

-- +goose Up
CREATE TABLE retention_runs (
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    data_class TEXT NOT NULL,
    ran_at     INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL, -- the last run that deleted something; 0 for none
    deleted    INTEGER NOT NULL, -- by that run
    PRIMARY KEY (org_id, data_class)
) WITHOUT ROWID;

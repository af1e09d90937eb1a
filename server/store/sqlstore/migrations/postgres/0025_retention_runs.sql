-- When data was last deleted for its age, by class (store.DataClass).

-- +goose Up
CREATE TABLE retention_runs (
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    data_class TEXT COLLATE "C" NOT NULL,
    ran_at     BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL, -- the last run that deleted something; 0 for none
    deleted    BIGINT NOT NULL, -- by that run
    PRIMARY KEY (org_id, data_class)
);

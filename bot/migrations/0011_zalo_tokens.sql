-- The pair of tokens of one Zalo Official Account. The refresh token works once: whoever uses it holds this row's lock and
-- has stored the new pair before anybody uses it.

CREATE TABLE zalo_tokens (
    app_id         text NOT NULL,
    oa_id          text NOT NULL,
    access_token   text NOT NULL,
    refresh_token  text NOT NULL,
    obtained_at    timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,              -- of the access token
    refused_at     timestamptz,                       -- Zalo refused the refresh token: a person must authorise again
    refused_reason text,
    PRIMARY KEY (app_id, oa_id)
);

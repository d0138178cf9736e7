//! Errors of the store.
//!
//! No message contains a submitted value or the password of a database URL.

/// Error of creating a user or a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The database rejects the submission: all violated claims in their order, then all missing
    /// references in theirs. Nothing was stored.
    #[error("the database rejects the submission")]
    Refused(Vec<Refusal>),
    /// The actor's token is revoked or expired. Nothing was stored.
    #[error("the token is not valid any more")]
    InvalidToken,
    /// The record would belong to a user other than the one that the actor is restricted to. Nothing
    /// was stored.
    #[error("the record would belong to another user than the caller")]
    OwnerMismatch,
    /// The idempotency key was used before. Nothing was stored by this call.
    #[error("the idempotency key was used before")]
    IdempotencyKeyUsed,
    /// The queue is full or another program holds a lock on the database. Nothing was stored; the same
    /// submission may succeed later.
    #[error("the database is busy: try again in a moment")]
    Busy,
    /// The database cannot be reached or the connection was lost. The user may have been stored if the
    /// connection broke during the commit.
    #[error("the database is unavailable: try again later")]
    Unavailable,
    /// The disk of the database is full. Nothing was stored.
    #[error("the database's disk is full: its operator has to make room")]
    DiskFull,
    /// The store is shutting down. Nothing was stored.
    #[error("the store is shutting down")]
    ShuttingDown,
    /// The database rejects the statement because of a bug in this program. Nothing was stored; the log
    /// names the kind of error.
    #[error("the database rejected the statement; see the log")]
    Internal,
}

/// Error of updating or deleting a user or a record, or of changing a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The user or record does not exist.
    #[error("there is no such user or record")]
    NotFound,
    /// The user, or the relationship, was changed or deleted since it was loaded. Nothing was stored.
    #[error("the user was changed meanwhile")]
    Conflict,
    /// An error that every write can return.
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// Reason why the database rejects a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another record holds the claim, or the submission contains the claim twice.
    Taken {
        /// Index in the user's `claims`.
        claim: usize,
    },
    /// The referenced row does not exist.
    Missing {
        /// Index in the user's `references`.
        reference: usize,
    },
    /// The record has no owner, or its owner does not exist.
    MissingOwner,
}

/// Error of opening a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The scheme of the URL is not supported.
    #[error(
        "unknown database scheme `{scheme}`: expected `sqlite:PATH` or `postgres://USER@HOST/DATABASE`"
    )]
    UnknownScheme {
        /// The part before the first colon.
        scheme: String,
    },
    /// The SQLite URL has no file path.
    #[error(
        "`sqlite:` needs the path of a file, e.g. `sqlite:data/registrar.db`; a database in memory cannot be shared by its connections"
    )]
    NotAFile,
    /// The SQLite file does not exist and [`crate::StoreSettings::create`] is false.
    #[error(
        "there is no database {path}: check the URL; `registrar migrate --create-database true` creates one"
    )]
    Missing {
        /// The path of the file.
        path: String,
    },
    /// The database has no tables and [`crate::StoreSettings::create`] is false.
    #[error(
        "the database is empty: check the URL; `registrar migrate --create-database true` makes its tables"
    )]
    Empty,
    /// The URL requires TLS and this build does not support it.
    #[error(
        "this build of Registrar has no TLS for PostgreSQL, which `{demand}` demands: build it with \
         `cargo build --release -p registrar-cli --features tls`, which needs OpenSSL's headers"
    )]
    NoTls {
        /// The parameter of the URL, or of libpq's environment, that requires TLS.
        demand: String,
    },
    /// The SQLite file or its directory cannot be created.
    #[error("cannot create the database file {path}: {source}; check the path and its permissions")]
    File {
        /// The path of the file.
        path: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The connection failed.
    #[error("cannot open the database {url}: {reason}")]
    Connect {
        /// The URL without its password.
        url: String,
        /// The database's message without the password.
        reason: String,
    },
    /// A migration failed and was rolled back.
    #[error("cannot migrate the database: {reason}; it is unchanged")]
    Migrate {
        /// The database's message.
        reason: String,
    },
    /// Migrations are pending and [`crate::StoreSettings::migrate`] is false.
    #[error("the database lacks the migrations {}: run `registrar migrate`", names.join(", "))]
    Pending {
        /// The names of the pending migrations in their order.
        names: Vec<String>,
    },
    /// The database has migrations of a newer version of Registrar.
    #[error("the database has the migrations {}, which this version of Registrar does not know: run the newer version", versions.join(", "))]
    NewerSchema {
        /// The versions of the unknown migrations.
        versions: Vec<String>,
    },
    /// A writer thread could not be started.
    #[error("cannot start a writer thread: {0}")]
    Thread(std::io::Error),
}

/// Error of reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The database cannot be reached, or no connection was free in time.
    #[error("the database is unavailable: try again later")]
    Unavailable,
    /// The query failed because of a bug in this program; the log names the kind of error.
    #[error("the database query failed; see the log")]
    Failed,
}

/// Error of creating a token as an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A token with this name exists; names of revoked tokens are not released.
    #[error("a token of this name exists already: choose another name")]
    NameTaken,
    /// The database is unavailable or fails.
    #[error(transparent)]
    Database(#[from] ReadError),
}

/// Reason why the store is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// The SQLite file was removed or replaced.
    #[error("the file of the database was removed or replaced: put it back, or start anew")]
    Replaced,
    /// No read connection is available.
    #[error("the database does not answer reads")]
    Readers,
    /// A writer has no connection or has ended.
    #[error("the database cannot be written to")]
    Writers,
}

//! What can go wrong, and whose fault it is.
//!
//! No text here holds a submitted value or the password of a database URL.

/// Why a user or a record was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The submission's own fault: all that the database has against it, claims (in their order)
    /// before references. Nothing was stored.
    #[error("the database refuses the submission")]
    Refused(Vec<Refusal>),
    /// The token that asks has been revoked or has expired. Nothing was stored.
    #[error("the token is not valid any more")]
    TokenRefused,
    /// The same was done before under the key of the submission, or something else was. Nothing was
    /// stored now.
    #[error("something was done under this key before")]
    Repeated,
    /// More waits than can be written, or another program holds the database. Nothing was stored;
    /// the same submission may succeed a moment later.
    #[error("the database is busy: try again in a moment")]
    Busy,
    /// The database cannot be reached, or was lost meanwhile. The user may have been stored when
    /// the connection broke in the very moment of the commit.
    #[error("the database is unavailable: try again later")]
    Unavailable,
    /// The database's disk is full. Nothing was stored.
    #[error("the database's disk is full: its operator has to make room")]
    Full,
    /// The store is shutting down. Nothing was stored.
    #[error("the store is shutting down")]
    ShuttingDown,
    /// The database does not take this submission for a reason that is a fault of this program.
    /// Nothing was stored; the log says which kind of error it was.
    #[error("the database does not take the submission; the log says why")]
    Failed,
}

/// Why a user or a record was not changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such user or record.
    #[error("there is no such user or record")]
    NotFound,
    /// The user, or its user's or relationship's other data, was changed or deleted since it was
    /// loaded. Nothing was stored; load it again.
    #[error("the user was changed meanwhile")]
    Conflict,
    /// What can go wrong with every write.
    #[error(transparent)]
    NotWritten(#[from] CreateError),
}

/// One thing that the database has against a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else holds what is claimed (or the same submission claims it twice).
    Taken {
        /// Index into the user's `claims`.
        claim: usize,
    },
    /// What is referred to does not exist.
    Missing {
        /// Index into the user's `references`.
        reference: usize,
    },
    /// A record is nobody's, or of a user who is not there.
    Ownerless,
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database that Registrar knows.
    #[error(
        "unknown database scheme `{scheme}`: expected `sqlite:PATH` or `postgres://USER@HOST/DATABASE`"
    )]
    UnknownScheme {
        /// What stands before the first colon.
        scheme: String,
    },
    /// SQLite without a file.
    #[error(
        "`sqlite:` needs the path of a file, e.g. `sqlite:data/registrar.db`; a database in memory cannot be shared by its connections"
    )]
    NotAFile,
    /// There is no such database, and opening was told not to make one.
    #[error(
        "there is no database {path}: check the URL; `registrar migrate --create-database true` makes a new one"
    )]
    Missing {
        /// The path of the file.
        path: String,
    },
    /// The database has no tables, and opening was told not to make any.
    #[error(
        "the database is empty: check the URL; `registrar migrate --create-database true` makes its tables"
    )]
    Empty,
    /// The URL demands TLS of a build that has none.
    #[error(
        "this build of Registrar has no TLS for PostgreSQL, which `{demand}` demands: build it with \
         `cargo build --release -p registrar-cli --features tls`, which needs OpenSSL's headers"
    )]
    NoTls {
        /// What in the URL, or in libpq's environment, demands it.
        demand: String,
    },
    /// The file of a SQLite database, or its folder, cannot be made.
    #[error("cannot create the database file {path}: {source}; check the path and its permissions")]
    File {
        /// The path of the file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The database does not let us in.
    #[error("cannot open the database {url}: {reason}")]
    Connect {
        /// The URL, without its password.
        url: String,
        /// What the database says, without the password.
        reason: String,
    },
    /// A migration failed; it left nothing behind.
    #[error("cannot migrate the database: {reason}; it is unchanged")]
    Migrate {
        /// What the database says.
        reason: String,
    },
    /// Migrations are missing, and opening was told not to apply them.
    #[error("the database lacks the migrations {}: run `registrar migrate`", names.join(", "))]
    Pending {
        /// The names of the missing migrations, in their order.
        names: Vec<String>,
    },
    /// The database was migrated by a newer Registrar.
    #[error("the database has the migrations {}, which this version of Registrar does not know: run the newer version", versions.join(", "))]
    NewerSchema {
        /// The versions of the unknown migrations.
        versions: Vec<String>,
    },
    /// The operating system gives no thread.
    #[error("cannot start a writer thread: {0}")]
    Thread(std::io::Error),
}

/// Why nothing was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No connection to the database, or none free in time.
    #[error("the database is unavailable: try again later")]
    Unavailable,
    /// The database fails for a reason that is a fault of this program; the log says which kind.
    #[error("the database fails to answer; the log says why")]
    Failed,
}

/// Why a token was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A token of this name exists, perhaps revoked: its name stays taken.
    #[error("a token of this name exists already: choose another name")]
    NameTaken,
    /// The database is not available, or fails.
    #[error(transparent)]
    Database(#[from] ReadError),
}

/// Why the store is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// The file of a SQLite database was removed or replaced.
    #[error("the file of the database was removed or replaced: put it back, or start anew")]
    Replaced,
    /// Reads get no connection.
    #[error("the database does not answer reads")]
    Readers,
    /// A writer has no connection, or has ended.
    #[error("the database cannot be written to")]
    Writers,
}

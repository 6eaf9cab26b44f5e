using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Praetor.Server.Storage;

/// <summary>What a person can do about a database file that cannot be opened.</summary>
public static class SqliteRemedy
{
    /// <summary>The remedy, by what opening failed with.</summary>
    public static string For(Exception problem) => problem switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } => "is another agent using it?",
        SqliteException { SqliteErrorCode: raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT } =>
            "the file is damaged; move it away and restore a snapshot",
        SqliteException { SqliteErrorCode: raw.SQLITE_FULL } => "no space left to write to; free some",
        SqliteException { SqliteErrorCode: raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM }
            or UnauthorizedAccessException =>
            "let the agent's user write to the file and its folder, on a file system that is not read-only",
        _ => "see to the disk",
    };
}

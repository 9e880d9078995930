import Foundation
import GRDB
import Support

/// Tells a full disk, and what will pass, from other faults of the database, wherever they were met.
public enum StorageFault {
    /// What another try may not meet again: somebody else has the file, the disk is full or does not answer.
    private static let passing: [ResultCode] = [
        .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CANTOPEN,
        .SQLITE_PROTOCOL,
        .SQLITE_INTERRUPT, .SQLITE_ABORT,
    ]

    /// Whether the same write would be refused again: it breaks a constraint or cannot be encoded, which is a bug, or the
    /// file is damaged.
    public static func isPermanent(_ error: any Error) -> Bool {
        switch error {
        case let error as DatabaseError: !passing.contains(error.resultCode)
        case is EncodingError, is DecodingError: true
        default: false
        }
    }

    public static func isDiskFull(_ error: any Error) -> Bool {
        switch error {
        case let problem as Problem: problem.category == .insufficientStorage
        case let error as DatabaseError:
            error.resultCode == .SQLITE_FULL
                // What a full disk makes of a write to the log, where the system call says ENOSPC only later.
                || [.SQLITE_IOERR_WRITE, .SQLITE_IOERR_SHMSIZE, .SQLITE_IOERR_TRUNCATE, .SQLITE_IOERR_FSYNC]
                    .contains(error.extendedResultCode)
        case let error as CocoaError: error.code == .fileWriteOutOfSpace
        default: false
        }
    }
}

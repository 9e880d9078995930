import Foundation
import GRDB
import Support

/// Tells a full disk from other faults, wherever it was met.
public enum StorageFault {
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

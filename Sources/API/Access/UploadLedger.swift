import Foundation
import Locks

/// What keys have on its way: bytes of uploads that are not stored yet, and how much they uploaded lately.
final class UploadLedger: Sendable {
    /// An upload's share of a quota, given back when the request has ended: then it is stored, or it failed.
    final class Reservation: Sendable {
        private let ledger: UploadLedger
        private let key: String
        private let bytes: Int

        fileprivate init(ledger: UploadLedger, key: String, bytes: Int) {
            self.ledger = ledger
            self.key = key
            self.bytes = bytes
        }

        deinit { ledger.release(key, bytes) }
    }

    private struct Account {
        var pending = 0
        /// Bytes that may still be uploaded; below 0 after an upload larger than an hour's share.
        var credit: Double?
        var refilled = Date.distantPast
    }

    private let accounts = Mutex<[String: Account]>([:])

    /// Reserves space, unless the key would have more than `maximum` with what is `stored` already.
    func reserve(_ bytes: Int, for key: String, stored: Int, maximum: Int) -> Reservation? {
        let fits = accounts.withLock { accounts in
            let pending = accounts[key]?.pending ?? 0
            let (sum, overflow) = bytes.addingReportingOverflow(pending + stored)
            guard !overflow, sum <= maximum else { return false }
            accounts[key, default: Account()].pending += bytes
            return true
        }
        return fits ? Reservation(ledger: self, key: key, bytes: bytes) : nil
    }

    private func release(_ key: String, _ bytes: Int) {
        accounts.withLock { $0[key]?.pending -= bytes }
    }

    /// A token bucket that holds an hour's bytes and fills evenly. Whatever finds credit may go on and is
    /// charged in full, so a file larger than an hour's share still passes, once.
    /// - Returns: nil, or the seconds until there is credit again.
    func charge(_ bytes: Int, to key: String, perHour: Int, at now: Date = Date()) -> Int? {
        guard perHour > 0 else { return 3600 }
        return accounts.withLock { accounts in
            var account = accounts[key] ?? Account()
            let capacity = Double(perHour)
            let passed = max(0, now.timeIntervalSince(account.refilled))
            let credit = min(capacity, (account.credit ?? capacity) + capacity * passed / 3600)
            account.refilled = now
            defer { accounts[key] = account }
            guard credit > 0 else {
                account.credit = credit
                return Int((1 - credit) * 3600 / capacity) + 1
            }
            account.credit = credit - Double(bytes)
            return nil
        }
    }
}

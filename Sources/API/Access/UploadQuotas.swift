import Foundation
import Support

/// What keys have on its way: bytes of uploads that are not stored yet, and how much they uploaded lately.
final class UploadQuotas: Sendable {
    /// An upload's share of a quota, given back when the request has ended: then it is stored, or it failed.
    final class Reservation: Sendable {
        private let ledger: UploadQuotas
        private let key: String
        private let bytes: Int

        fileprivate init(ledger: UploadQuotas, key: String, bytes: Int) {
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

    /// Reserves space for an upload in one piece.
    ///
    /// To be called in a transaction of the database's one writer, which read `taken`: whatever is stored is
    /// inserted by that writer and leaves this ledger afterwards, so that no upload is counted in neither.
    /// - Parameter taken: bytes of the key's uploads that the database knows.
    /// - Throws: `Problem` `key-storage-full`.
    func reserve(_ bytes: Int, for key: String, taken: Int, maximum: Int) throws -> Reservation {
        try accounts.withLock { accounts in
            try Self.requireRoom(
                for: bytes, beside: accounts[key]?.pending ?? 0, taken: taken, maximum: maximum)
            accounts[key, default: Account()].pending += bytes
        }
        return Reservation(ledger: self, key: key, bytes: bytes)
    }

    /// The same for an upload that the database counts from this transaction on.
    func requireRoom(for bytes: Int, of key: String, taken: Int, maximum: Int) throws {
        let pending = accounts.withLock { $0[key]?.pending ?? 0 }
        try Self.requireRoom(for: bytes, beside: pending, taken: taken, maximum: maximum)
    }

    private static func requireRoom(for bytes: Int, beside pending: Int, taken: Int, maximum: Int) throws {
        let (held, tooMany) = taken.addingReportingOverflow(pending)
        let (sum, overflow) = held.addingReportingOverflow(bytes)
        guard tooMany || overflow || sum > maximum else { return }
        throw Problem(
            .insufficientStorage, code: "key-storage-full", title: "The key's storage is full",
            detail: "\(tooMany ? .max : held) of \(maximum) bytes are taken, \(bytes) more were announced.",
            location: "Content-Length",
            fix: "DELETE models, data sets and uploads that are not needed any more.")
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

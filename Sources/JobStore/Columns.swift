import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// JSON columns, times and enumerations of a row. What cannot be read is a damaged database.
enum Columns {
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension Row {
    func json<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let text: String = self[column] else { return nil }
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            throw damaged(column, text)
        }
    }

    func requiredJSON<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        guard let value: Value = try json(column) else { throw damaged(column, "NULL") }
        return value
    }

    func optionalCase<Value: RawRepresentable<String>>(_ column: String, as type: Value.Type = Value.self)
        throws -> Value?
    {
        guard let text: String = self[column] else { return nil }
        guard let value = Value(rawValue: text) else { throw damaged(column, text) }
        return value
    }

    func enumCase<Value: RawRepresentable<String>>(_ column: String, as type: Value.Type = Value.self) throws
        -> Value
    {
        guard let value: Value = try optionalCase(column) else { throw damaged(column, "NULL") }
        return value
    }

    func date(_ column: String) -> Date? {
        (self[column] as Double?).map(Date.init(timeIntervalSince1970:))
    }

    func requiredDate(_ column: String) throws -> Date {
        guard let date = date(column) else { throw damaged(column, "NULL") }
        return date
    }

    var blob: Blob { Blob(sha256: self["sha256"], size: self["size"]) }

    private func damaged(_ column: String, _ text: String) -> Problem {
        Problem(
            .internal, code: "database-damaged", title: "The database holds a value that cannot be read",
            detail: "Column \(column): \(text.prefix(200))")
    }
}

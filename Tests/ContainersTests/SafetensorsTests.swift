import Foundation
import Support
import Testing

@testable import Containers

@Suite struct SafetensorsTests {
    private func read(_ header: String, data: Int, length: UInt64? = nil) throws -> SafetensorsFile {
        let text = Array(header.utf8)
        let count = length ?? UInt64(text.count)
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes =
            withUnsafeBytes(of: count.littleEndian) { Array($0) } + text + [UInt8](repeating: 1, count: data)
        try Data(bytes).write(to: URL(filePath: path))
        return try SafetensorsFile(file: RandomAccessFile(path: path))
    }

    private func entry(_ name: String, _ type: String, _ shape: [Int], _ start: Int, _ end: Int) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }

    @Test func readsTensorsInTheOrderOfTheirBytes() throws {
        let header =
            "{\"__metadata__\":{\"format\":\"pt\"},\(entry("b", "F32", [2, 1], 2, 10)),\(entry("a", "F16", [], 0, 2)),"
            + "\(entry("none", "I64", [0, 5], 10, 10))}   "
        let file = try read(header, data: 10)
        #expect(file.metadata == ["format": "pt"])
        #expect(file.tensors.map(\.name) == ["a", "b", "none"])
        #expect(file.tensors[1].offset == 8 + header.utf8.count + 2)
        #expect(file.tensors.map(\.type) == [.float16, .float32, .int64])
    }

    @Test func refusesEveryLie() {
        let cases: [(header: String, data: Int, part: String)] = [
            ("{\(entry("a", "F32", [1], 0, 4)),\(entry("b", "F32", [1], 2, 6))}", 6, "overlaps"),
            ("{\(entry("a", "F32", [1], 0, 4)),\(entry("b", "F32", [1], 5, 9))}", 9, "gap"),
            ("{\(entry("a", "F32", [1], 1, 5))}", 5, "gap"),
            ("{\(entry("a", "F32", [1], 0, 4))}", 5, "the file at"),
            ("{\(entry("a", "F32", [1], 0, 4))}", 3, "do not lie"),
            ("{\(entry("a", "F32", [2], 0, 4))}", 4, "takes 8 bytes"),
            ("{\(entry("a", "F32", [1], 4, 0))}", 4, "do not lie"),
            ("{\(entry("a", "F32", [-1], 0, 4))}", 4, "not possible"),
            ("{\(entry("a", "F32", [1 << 62, 1 << 62], 0, 4))}", 4, "too large"),
            ("{\(entry("a", "F32", [0, 1 << 62, 1 << 62], 0, 0))}", 0, "too large"),
            ("{\(entry("a", "F32", [1 << 62, 0, 1 << 62], 0, 0))}", 0, "too large"),
            ("{\(entry("a", "F32", [1], 0, 4)),\(entry("a", "F32", [1], 4, 8))}", 8, "Two members"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "no field"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "missing"),
            ("{\"a\":[]}", 0, "object"), ("[]", 0, "object"), ("{", 0, "only 9 bytes"), ("", 8, "byte 0"),
            ("{ ", 0, "“\"” is expected"),
            ("{\"__metadata__\":{\"a\":1}}", 0, "string"),
            ("{\(entry("a", "F8_E4M3", [1], 0, 1))}", 1, "F8_E4M3"),
        ]
        for (header, data, part) in cases {
            let problem = #expect(throws: Problem.self, "\(header)") { try read(header, data: data) }
            #expect(problem?.detail.contains(part) == true, "\(header): \(problem?.detail ?? "")")
        }
    }

    @Test func refusesHeadersThatAreTooLong() {
        for length in [11, 1 << 40, UInt64.max] {
            let problem = #expect(throws: Problem.self) { try read("{}", data: 8, length: length) }
            #expect(problem?.code == "safetensors-damaged")
        }
    }
}

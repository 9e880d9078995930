import Foundation
import Support
import Testing

@testable import Containers

@Suite struct PickleReaderTests {
    private func read(_ bytes: [UInt8], _ limits: PickleLimits = PickleLimits()) throws -> PickleDocument {
        try PickleReader.read(bytes, name: "p", limits: limits)
    }

    private func read(_ text: String) throws -> PickleDocument { try read(Array(text.utf8)) }

    /// `pickle.dumps({"a": [1, -2, 300, 70000, 2.5, True, None, (b"x",), 2**40]}, 4)`
    private let dump = """
        gASVNAAAAAAAAAB9lIwBYZRdlChLAUr+////TSwBSnARAQBHQAQAAAAAAACITkMBeJSFlIoGAAAAAAABZXMu
        """

    @Test func readsWhatPythonWrites() throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: dump)))
        let document = try read(bytes)
        let list = try #require(document.member(document.root, "a", in: bytes))
        let items = try #require(document.items(list))
        #expect(items.count == 9)
        #expect(
            items[..<7] == [.int(1), .int(-2), .int(300), .int(70_000), .double(2.5), .bool(true), .none])
        #expect(document.items(items[7])?.first.map { document.text($0, in: bytes) } == "x")
        #expect(items[8] == .int(1 << 40))
    }

    /// Two bytes each: a list, and an entry of the memo.
    @Test(arguments: [[0x5D, 0x94], [0x29, 0x94], [0x7D, 0x94], [0x28], [0x4E]] as [[UInt8]])
    func boundsTheMemoryOfValues(_ part: [UInt8]) throws {
        let bytes = (0..<100_000).flatMap { _ in part }
        let problem = #expect(throws: Problem.self) { try read(bytes, PickleLimits(maximumMemory: 1 << 20)) }
        #expect(problem?.code == "pickle-over-limit")
    }

    @Test func everyCutIsRefused() throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: dump)))
        for length in 0..<bytes.count {
            #expect(throws: Problem.self, "\(length)") { try read(Array(bytes[..<length])) }
        }
    }

    @Test func readsTextProtocols() throws {
        let document = try read("(dp0\nS'a'\np1\n(lp2\nI7\naL8L\naI01\naF0.5\nas.")
        let items = document.member(document.root, "a", in: []).flatMap(document.items)
        #expect(items == [.int(7), .int(8), .bool(true), .double(0.5)])
    }

    @Test(arguments: [
        ("cos\nsystem\n(S'ls'\ntR.", "pickle-global-not-allowed", "os.system", 0),
        ("cbuiltins\neval\n.", "pickle-global-not-allowed", "builtins.eval", 0),
        ("]ctorch\nload\n.", "pickle-global-not-allowed", "torch.load", 1),
        ("(S'ls'\nios\nsystem\n.", "pickle-opcode-not-allowed", "INST", 7),
        (")\u{81}.", "pickle-damaged", "0xc2", 1),
        ("S'x'\n)R.", "pickle-opcode-not-allowed", "no name", 6),
        ("ctorch._utils\n_rebuild_tensor_v2\n)R.", "pickle-damaged", "tensor", 34),
        ("N}b.", "pickle-opcode-not-allowed", "state", 2),
        ("a.", "pickle-damaged", "missing", 0), ("h\u{7}.", "pickle-damaged", "memo", 0),
        ("S'no end", "pickle-damaged", "line", 0), ("t.", "pickle-damaged", "mark", 0),
        ("}S'a'\n(u.", "pickle-damaged", "no dict", 7), ("N]a.", "pickle-damaged", "no list", 2),
    ])
    func refuses(text: String, code: String, part: String, offset: Int) {
        let problem = #expect(throws: Problem.self) { try read(text) }
        #expect(problem?.code == code, "\(text)")
        #expect(problem?.detail.contains(part) == true, "\(text): \(problem?.detail ?? "")")
        #expect(problem?.location == "p, byte \(offset)", "\(text): \(problem?.location ?? "")")
    }

    @Test(arguments: [("FloatStorage", true), ("HalfStorage", false)])
    func aStorageHasOneElementType(second: String, isRead: Bool) {
        func storage(_ type: String) -> String { "(S'storage'\nctorch\n\(type)\nS'0'\nS'cpu'\nI4\ntQ" }
        let text = "(" + storage("FloatStorage") + storage(second) + "t."
        #expect(((try? read(text)) != nil) == isRead)
    }

    @Test func refusesTheOpcodesThatMakeObjects() {
        for opcode in [0x92, 0x82, 0x8B] as [UInt8] {
            let problem = #expect(throws: Problem.self) { try read([opcode, 0x2E]) }
            #expect(problem?.code == "pickle-opcode-not-allowed")
        }
        // An object of a type that has a meaning.
        for type in [
            "collections\nOrderedDict", "torch\nFloatStorage", "builtins\nlist", "pathlib\nPosixPath",
        ] {
            let problem = #expect(throws: Problem.self) {
                try read(Array("c\(type)\n)".utf8) + [0x81, 0x2E])
            }
            #expect(problem?.code == "pickle-opcode-not-allowed", "\(type)")
        }
        #expect(throws: Never.self) { try read(Array("cargparse\nNamespace\n)".utf8) + [0x81, 0x2E]) }
    }

    /// What Python reads otherwise than any other reader: the last of two wins there, whatever it went through.
    @Test func whatTwoReadersReadInTwoWaysIsRefused() throws {
        let object = Array("cargparse\nNamespace\n)".utf8) + [0x81]
        /// {"a": value}
        func state(_ value: UInt8) -> [UInt8] { [0x7D, 0x8C, 1, 0x61, 0x4B, value, 0x73] }
        let build: [UInt8] = [0x62]
        let once = try read(object + state(1) + build + [0x2E])
        #expect(once.members(once.root)?.count == 1)
        for twice in [
            object + state(1) + build + state(2) + build,
            // (None, {"a": 1}): attributes past every setter.
            object + [0x4E] + state(1) + [0x86] + build,
            object + state(1) + build + [0x4E] + state(2) + [0x86] + build,
            // {"a": 1, "a": 2}, at once and one after the other.
            [0x7D, 0x28, 0x8C, 1, 0x61, 0x4B, 1, 0x8C, 1, 0x61, 0x4B, 2, 0x75],
            [0x7D, 0x8C, 1, 0x61, 0x4B, 1, 0x73, 0x8C, 1, 0x61, 0x4B, 2, 0x73],
        ] {
            let problem = #expect(throws: Problem.self) { try read(twice + [0x2E]) }
            #expect(problem?.code == "pickle-opcode-not-allowed")
        }
    }

    @Test func aMillionListsInOneAnotherAreReadAndFreed() throws {
        // ] then (memo 0) ] , append to the list before: a chain built from the top.
        let depth = 300_000
        var bytes: [UInt8] = []
        for _ in 0..<depth { bytes.append(0x5D) }
        for _ in 1..<depth { bytes.append(0x61) }
        bytes.append(0x2E)
        let document = try read(bytes)
        #expect(document.sequences.count == depth)
    }

    @Test func listsThatHoldThemselvesAreData() throws {
        let document = try read([0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E])
        #expect(document.items(document.root) == [document.root])
    }

    @Test func countsWhatItHolds() {
        let limits = PickleLimits(maximumBytes: 1 << 20, maximumOperations: 1_000, maximumValues: 100)
        func refused(_ bytes: [UInt8]) -> Bool {
            do {
                _ = try read(bytes, limits)
                return false
            } catch { return (error as? Problem)?.code == "pickle-over-limit" }
        }
        #expect(refused([UInt8](repeating: 0x4E, count: 200)))
        #expect(refused([UInt8](repeating: 0x95, count: 2 << 20)))
        // Doubling by the memo: a tuple of a tuple twice … shares, and needs no memory.
        let shared: [UInt8] = [0x29] + [UInt8](repeating: 0, count: 0) + [0x32, 0x86, 0x2E]
        #expect(!refused(shared))
        // POP and NONE for ever.
        #expect(refused((0..<2_000).map { $0 % 2 == 0 ? 0x4E : 0x30 }))
    }

    @Test func changedBytesNeverCrash() throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: dump)))
        var outcomes = (read: 0, refused: 0)
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                do {
                    _ = try read(changed)
                    outcomes.read += 1
                } catch is Problem { outcomes.refused += 1 }
            }
        }
        #expect(outcomes.read > 0 && outcomes.refused > 0)
    }
}

import Containers
import Foundation
import Support
import Testing

@testable import ModelFormats

@Suite("ONNX models with weights in other files")
struct ExternalDataTests {
    /// The model's bytes, and those of its data file, where the second initializer is followed by a gap.
    private func parts(_ change: (inout TinyONNX) -> Void = { _ in }) throws -> (
        model: [UInt8], data: [UInt8]
    ) {
        var tiny = TinyONNX.classifier()
        var data: [UInt8] = []
        for index in tiny.model.graph.initializer.indices {
            let raw = tiny.model.graph.initializer[index].rawData
            let pairs = [
                ("location", "./model.onnx.data"), ("offset", String(data.count)),
                ("length", String(raw.count)),
            ]
            tiny.model.graph.initializer[index].clearRawData()
            tiny.model.graph.initializer[index].dataLocation = 1
            tiny.model.graph.initializer[index].externalData = pairs.map { key, value in
                .with { ($0.key, $0.value) = (key, value) }
            }
            data += Array(raw) + [UInt8](repeating: 0, count: 8)
        }
        change(&tiny)
        return (try tiny.bytes(), data)
    }

    /// Both lie in one file, as in an archive.
    private func open(_ model: [UInt8], _ data: [UInt8], named name: String? = "model.onnx.data") throws
        -> (model: ONNXModel, bytes: [UInt8])
    {
        let head = [UInt8](repeating: 1, count: 100)
        let bytes = head + model + data
        let url = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString)")
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        let file = try RandomAccessFile(path: url.path)
        let start = head.count + model.count
        let files = ONNXFiles(name.map { [$0: start..<start + data.count] } ?? [:])
        return (try ONNXModel(file, range: head.count..<start, files: files), bytes)
    }

    @Test("know where they lie")
    func places() throws {
        let (model, data) = try parts()
        let read = try open(model, data)
        let expected = TinyONNX.classifier().model.graph.initializer
        #expect(read.model.weights.count == expected.count)
        for weight in read.model.weights.values {
            let raw = try #require(expected.first { $0.name == weight.location.name }).rawData
            let place = weight.location.fileOffset..<weight.location.fileOffset + weight.location.byteCount
            #expect(weight.literal == nil)
            #expect(read.bytes[place].elementsEqual(raw))
        }
    }

    @Test(
        "are refused where a weight points outside, each with its reason",
        arguments: [
            ("location", "../secret", "no plain path"), ("location", "/etc/passwd", "no plain path"),
            ("location", "a/../../b", "no plain path"), ("location", "a\\b", "no plain path"),
            ("location", "", "no plain path"), ("location", "other.data", "the archive has"),
            ("location", "*/_ORT_MEM_ADDR_/*", "no plain path"),
            ("location", "*/_ORT_LITTLE_ENDIAN_MEM_ADDR_/*", "no plain path"),
            ("location", "file:model.onnx.data", "no plain path"),
            ("offset", "-1", "no number of bytes"), ("offset", "99999999999999999999", "no number of bytes"),
            ("offset", "1e3", "no number of bytes"), ("offset", "999999", "begins at"),
            ("length", "999999", "which has"), ("checksum", "da39a3ee", "checksum"),
            ("prepacked_0", "0|432|da39a3ee", "“prepacked_0”"), ("basepath", "/tmp", "“basepath”"),
        ])
    func refuses(_ key: String, _ value: String, _ reason: String) throws {
        let (model, data) = try parts { tiny in
            tiny.model.graph.initializer[0].externalData.removeAll { $0.key == key }
            tiny.model.graph.initializer[0].externalData.append(.with { ($0.key, $0.value) = (key, value) })
        }
        let problem = try #require(throws: Problem.self) { try open(model, data) }
        #expect(problem.code == "onnx-external-data")
        #expect(problem.detail.contains(reason), "\(problem)")
        #expect(problem.detail.contains("conv.weight"))
    }

    @Test("are refused where lengths do not fit, or data is in two places")
    func refusesLengths() throws {
        for value in ["431", "433", "0"] {
            let (model, data) = try parts { tiny in
                tiny.model.graph.initializer[0].externalData[2].value = value
            }
            let problem = try #require(throws: Problem.self) { try open(model, data) }
            #expect(problem.code == "onnx-weights", "\(value): \(problem)")
        }
        let (model, data) = try parts { tiny in
            tiny.model.graph.initializer[0].rawData = TinyONNX.classifier().model.graph.initializer[0].rawData
        }
        #expect(throws: Problem.self) { try open(model, data) }
    }

    @Test("ask for the files where they did not come")
    func asks() throws {
        let (model, data) = try parts()
        let problem = try #require(throws: Problem.self) { try open(model, data, named: nil) }
        #expect(problem.code == "onnx-external-data")
        #expect(problem.fix?.contains("tar -cf model.tar model.onnx model.onnx.data") == true)
    }

    /// onnxruntime would read its own memory from the offset on, whatever lies beside the model.
    @Test("are refused where the archive holds a file called as an address of memory is")
    func refusesAddresses() throws {
        let marker = "*/_ORT_MEM_ADDR_/*"
        let (model, data) = try parts { tiny in
            for index in tiny.model.graph.initializer.indices {
                tiny.model.graph.initializer[index].externalData[0].value = marker
            }
        }
        let problem = try #require(throws: Problem.self) { try open(model, data, named: marker) }
        #expect(problem.code == "onnx-external-data")
        #expect(problem.detail.contains(marker), "\(problem)")
    }

    @Test("have plain relative paths")
    func paths() {
        #expect(ONNXFiles.normal("./a//b/./c") == "a/b/c")
        #expect(ONNXFiles.normal("weights.bin") == "weights.bin")
        for path in ["", ".", "./", "..", "../a", "a/..", "/a", "a/", "a\u{0}b", "a\\b", "c:a", "a*", "a?b"] {
            #expect(ONNXFiles.normal(path) == nil, "\(path)")
        }
    }
}

import Foundation
import Support
import Testing

@testable import AttackBench

@Suite struct DataSourceTests {
    @Test func cifar10BinaryRecordsAreRead() throws {
        try PoisonedDataTests.withFolder { folder in
            for name in (1...5).map({ "data_batch_\($0)" }) + ["test_batch"] {
                // Two records: label, then the red, green and blue planes.
                let record = { (label: UInt8) in
                    [label] + [UInt8](repeating: 10, count: 1_024) + [UInt8](repeating: 20, count: 1_024)
                        + (0..<1_024).map { UInt8($0 % 251) }
                }
                try Data(record(7) + record(2)).write(to: folder.appending(path: "\(name).bin"))
            }
            #expect(try DataSource(argument: folder.path) == .cifar10Binary(folder.standardizedFileURL))
            let files = try CIFAR10Files(folder)
            #expect(files.training.labels == [7, 2, 7, 2, 7, 2, 7, 2, 7, 2])
            #expect(files.test.count == 2)
            let pixels = files.test.image(1).pixels
            #expect(Array(pixels.prefix(6)) == [10, 20, 0, 10, 20, 1])
            #expect(pixels[3_071] == UInt8(1_023 % 251))
            try Data([10] + [UInt8](repeating: 0, count: 3_072)).write(
                to: folder.appending(path: "test_batch.bin"))
            #expect(throws: Problem.self) { try CIFAR10Files(folder) }
            try Data([1, 2, 3]).write(to: folder.appending(path: "test_batch.bin"))
            #expect(throws: Problem.self) { try CIFAR10Files(folder) }
        }
    }

    @Test func foldersAndArchivesAreFoundByName() throws {
        try PoisonedDataTests.withFolder { folder in
            #expect(throws: Problem.self) { try DataSource(argument: folder.path) }
            for name in ["x-train.tar.xz", "x-test.tar.xz"] {
                try Data().write(to: folder.appending(path: name))
            }
            guard case .imageFolders(let training, let test) = try DataSource(argument: folder.path) else {
                Issue.record("it is taken for something else")
                return
            }
            #expect(
                training.lastPathComponent == "x-train.tar.xz" && test.lastPathComponent == "x-test.tar.xz")
            #expect(try DataSource(argument: "procedural") == .procedural)
        }
    }

    /// Training images in class folders, test images with a table; a comment in a header; another size.
    @Test func gtsrbIsReadAndScaled() throws {
        try PoisonedDataTests.withFolder { folder in
            let manager = FileManager.default
            for name in ["00000", "00001"] {
                let images = folder.appending(path: "Final_Training/Images/\(name)")
                try manager.createDirectory(at: images, withIntermediateDirectories: true)
                // 64 x 32: two columns of the image become one.
                let pixels: [UInt8] = (0..<64 * 32).flatMap { place in
                    [UInt8(place % 64), 0, name == "00000" ? 9 : 7]
                }
                try Data(Array("P6\n# made up\n64 32\n255\n".utf8) + pixels)
                    .write(to: images.appending(path: "a.ppm"))
            }
            let test = folder.appending(path: "Final_Test/Images")
            try manager.createDirectory(at: test, withIntermediateDirectories: true)
            let ramp: [UInt8] = (0..<256).flatMap { [UInt8($0), 1, 2] }
            try Data(Array("P6 16 16 255\n".utf8) + ramp)
                .write(to: test.appending(path: "b.ppm"))
            let table =
                "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\nb.ppm;16;16;1;1;15;15;1\r\n"
            try Data(table.utf8).write(to: folder.appending(path: "GT-final_test.csv"))

            #expect(try DataSource(argument: folder.path) == .gtsrb(folder.standardizedFileURL))
            let files = try #require(GTSRBFiles(folder))
            let training = try files.training(10, seed: 1)
            #expect(training.classes == ["00000", "00001"] && training.labels == [0, 1])
            // Means of 0 and 1, of 2 and 3, ...: half a grey level is rounded up.
            #expect(Array(training.image(1).pixels.prefix(6)) == [1, 0, 7, 3, 0, 7])
            let tests = try files.test(10, seed: 1)
            #expect(tests.labels == [1])
            #expect(Array(tests.image(0).pixels.prefix(9)) == [0, 1, 2, 0, 1, 2, 1, 1, 2])
            try Data("P6 16 16 255\n".utf8).write(to: test.appending(path: "b.ppm"))
            #expect(throws: Problem.self) { try files.test(10, seed: 1) }
        }
    }

    @Test func tinyImageNetIsArrangedInClassFolders() throws {
        try PoisonedDataTests.withFolder { folder in
            func write(_ path: String, _ text: String) throws {
                let file = folder.appending(path: path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
            try write("wnids.txt", "n02\nn01\n")
            try write("train/n01/images/n01_0.JPEG", "first")
            try write("train/n02/images/n02_0.JPEG", "second")
            try write("train/n02/n02_boxes.txt", "")
            try write("val/images/val_0.JPEG", "third")
            try write("val/val_annotations.txt", "val_0.JPEG\tn02\t0\t0\t62\t57\n")
            #expect(try DataSource(argument: folder.path) == .tinyImageNet(folder.standardizedFileURL))
            let files = try #require(TinyImageNetFiles(folder))
            let trees = ["a", "b"].map { folder.appending(path: $0) }
            try files.arrangeTraining(in: trees[0])
            try files.arrangeValidation(in: trees[1])
            func text(_ path: String) throws -> String {
                try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            }
            #expect(try text("a/n01/n01_0.JPEG") == "first" && text("a/n02/n02_0.JPEG") == "second")
            #expect(try text("b/n02/val_0.JPEG") == "third")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: trees[0].path).sorted() == ["n01", "n02"])
        }
    }
}

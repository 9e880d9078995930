import Findings
import Foundation

extension JobReport {
    /// How to run the job again.
    public struct Rerun: Codable, Hashable, Sendable {
        /// For a POSIX shell; MODEL, DATASET, CLEAN and TRIGGERED stand for the files of `inputs`, TRUSTED
        /// for that of `options.trusted`.
        public var command: String
        /// The content of `classes.json`, which the command names; nil where it names none.
        public var classes: [String: Int]?
    }
}

extension JobReport.Rerun {
    init(_ type: JobType, _ inputs: JobReport.Inputs, _ options: JobOptions) {
        var words = ["burnd", type.rawValue, "MODEL", "DATASET"]
        if type == .purify { words += ["--output", "OUT"] }
        if inputs.clean != nil { words += ["--clean", "CLEAN"] }
        if inputs.triggered != nil { words += ["--triggered", "TRIGGERED"] }
        if inputs.triggered != nil, let target = inputs.targetClass {
            words += ["--target-class", "\(target)"]
        }
        if options.trusted != nil { words += ["--trusted", "TRUSTED"] }
        if options.method != .full { words += ["--method", options.method.rawValue] }
        words += ["--seed", "\(options.seed)", "--distance", options.distance.rawValue]
        if let analysis = options.analysis, analysis != .suspects {
            words += ["--analysis", analysis.rawValue]
        }
        if let precision = options.precision, precision != .auto {
            words += ["--precision", precision.rawValue]
        }
        if type == .purify { words += ["--rounds", "\(options.rounds)"] }
        for (name, value) in (options.parameters?.changed ?? [:]).sorted(by: { $0.key < $1.key }) {
            words += ["--parameter", "\(name)=\(value)"]
        }
        let input = options.input
        if input.range != InputScaling().range { words.append("--range=" + Self.list(input.range)) }
        if !input.mean.isEmpty { words.append("--mean=" + Self.list(input.mean)) }
        if !input.std.isEmpty { words.append("--std=" + Self.list(input.std)) }
        if options.classes != nil { words += ["--classes", "classes.json"] }
        if type == .purify, options.force { words.append("--force") }
        if options.acceptDisagreement { words.append("--accept-disagreement") }
        if let threads = options.threads { words += ["--threads", "\(threads)"] }
        words += Self.reading(inputs)
        command = words.joined(separator: " ")
        classes = options.classes
    }

    /// How the files were read.
    private static func reading(_ inputs: JobReport.Inputs) -> [String] {
        var words: [String] = []
        if let model = inputs.model.options {
            if let architecture = model.architecture { words += ["--architecture", quoted(architecture)] }
            if let image = model.image { words += ["--image", "\(image)"] }
            if model.skeleton != nil { words += ["--skeleton", "SKELETON"] }
            if let weights = model.weights { words += ["--weights", quoted(weights)] }
            if let output = model.output { words += ["--model-output", quoted(output)] }
        }
        guard let options = inputs.dataset.options else { return words }
        switch options.resize {
        case .shorterSide(let side): words += ["--resize", "\(side)"]
        case .exactly(let size): words += ["--resize", "\(size.height)x\(size.width)"]
        case nil: break
        }
        if let crop = options.crop { words += ["--crop", "\(crop.height)x\(crop.width)"] }
        // Defaults that older versions kept as if they had been given are left out.
        if let alpha = options.alpha, alpha != .refuse { words += ["--alpha", alpha.rawValue] }
        if let orientation = options.orientation, orientation != .stored {
            words += ["--orientation", orientation.rawValue]
        }
        if let split = options.split, split != .train { words += ["--split", split.rawValue] }
        if let layout = options.layout { words += ["--layout", layout.rawValue] }
        if options.skipDamaged == true { words.append("--skip-damaged") }
        if options.emptyClasses == true { words.append("--empty-classes") }
        return words
    }

    private static func list(_ values: [Double]) -> String {
        values.map { "\($0)" }.joined(separator: ",")
    }

    /// One word of a POSIX shell.
    static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D...0x2F, 0x5F: true
            default: false
            }
        }
        return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

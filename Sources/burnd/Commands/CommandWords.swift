import Support

/// What a problem says in the words of HTTP, in those of the command line: `layout=folders` is `--layout folders` here.
enum CommandWords {
    private static let options = [
        "resize": "--resize", "crop": "--crop", "alpha": "--alpha", "split": "--split", "layout": "--layout",
        "orientation": "--orientation", "architecture": "--architecture", "skeleton": "--skeleton",
        "weights": "--weights", "output": "--model-output", "skip_damaged": "--skip-damaged",
        "empty_classes": "--empty-classes",
    ]
    private static let places = [
        "/dataset": "DATASET", "/options/classes": "--classes", "/options/input/mean": "--mean",
        "/options/input/std": "--std",
    ]

    static func translated(_ problem: Problem) -> Problem {
        var problem = problem
        problem.location = problem.location.map { places[$0] ?? options[$0] ?? $0 }
        problem.detail = translated(problem.detail)
        problem.fix = problem.fix.map(translated)
        return problem
    }

    /// Options with their values. One that is said both ways already, as `--skip-damaged (skip_damaged=true)`, is said once.
    private static func translated(_ text: String) -> String {
        let once = text.replacing(/(--[a-z-]+(?: [A-Za-z0-9]+)?) \([a-z_]+=[^)]*\)/) { String($0.1) }
            .replacing(/([a-z_]+=[^ ()]+) \((--[a-z-]+)[^)]*\)/) { String($0.1) }
        return once.replacing(/\b([a-z_]+)=([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)/) { match in
            guard let option = options[String(match.1)] else { return String(match.0) }
            return match.2 == "true" ? option : option + " " + match.2
        }
    }
}

// The verbs of the command line; each lives in a file of its own below verbs/.
#pragma once

#include "runtime/console.hpp"
#include "runtime/exit_code.hpp"
#include "runtime/options.hpp"

namespace millrace::runtime {

ExitCode execute(const RunOptions& options, Console& console);
ExitCode execute(const ValidateOptions& options, Console& console);
ExitCode execute(const ExplainOptions& options, Console& console);
ExitCode execute(const GraphOptions& options, Console& console);
ExitCode execute(const ListOptions& options, Console& console);
ExitCode execute(const SchemaOptions& options, Console& console);
ExitCode execute(const EvalJsonpathOptions& options, Console& console);
ExitCode execute(const EvalSqlOptions& options, Console& console);
ExitCode execute(const EvalExprOptions& options, Console& console);
ExitCode execute(const DsnOptions& options, Console& console);
ExitCode execute(const VersionOptions& options, Console& console);
ExitCode execute(const GetOptions& options, Console& console);
ExitCode execute(const OrderOptions& options, Console& console);
ExitCode execute(const SendOptions& options, Console& console);
ExitCode execute(const TapOptions& options, Console& console);
ExitCode execute(const TopOptions& options, Console& console);
ExitCode execute(const ReplayOptions& options, Console& console);

}  // namespace millrace::runtime

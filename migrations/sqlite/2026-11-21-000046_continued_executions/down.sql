DROP TABLE continued_executions;
